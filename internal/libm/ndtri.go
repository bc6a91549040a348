package libm

import "math"

// ====================================================
// Cephes Math Library Release 2.1: January, 1989
// Copyright 1984, 1987, 1989 by Stephen L. Moshier
// ====================================================

// Ndtri returns the x for which the area under the normal density from -Inf to x is
// y, as scipy.special.ndtri. It needs Log.
//
// Source: scipy/xsf:include/xsf/cephes/ndtri.h. The compiler of SciPy fuses nothing.
func Ndtri(y float64) float64 {
	switch {
	case y == 0:
		return math.Inf(-1)
	case y == 1:
		return math.Inf(1)
	case !(y > 0 && y < 1):
		return math.NaN()
	}
	upper := true
	if y > 1-ndtriExp2 {
		y = 1 - y
		upper = false
	}
	if y > ndtriExp2 {
		y -= 0.5
		y2 := float64(y * y)
		x := y + float64(y*(float64(y2*ndtriPoly(y2, ndtriP0[:]))/ndtriPoly1(y2, ndtriQ0[:])))
		return float64(x * ndtriRoot2Pi)
	}
	x := math.Sqrt(-2 * Log(y))
	x0 := x - Log(x)/x
	z := 1 / x
	var x1 float64
	if x < 8 { // y > exp(-32)
		x1 = float64(z*ndtriPoly(z, ndtriP1[:])) / ndtriPoly1(z, ndtriQ1[:])
	} else {
		x1 = float64(z*ndtriPoly(z, ndtriP2[:])) / ndtriPoly1(z, ndtriQ2[:])
	}
	x = x0 - x1
	if upper {
		x = -x
	}
	return x
}

// ndtriPoly evaluates a polynomial whose highest coefficient comes first.
func ndtriPoly(x float64, c []float64) float64 {
	sum := c[0]
	for _, v := range c[1:] {
		sum = float64(sum*x) + v
	}
	return sum
}

// ndtriPoly1 is ndtriPoly with a highest coefficient of 1 that is not listed.
func ndtriPoly1(x float64, c []float64) float64 {
	sum := x + c[0]
	for _, v := range c[1:] {
		sum = float64(sum*x) + v
	}
	return sum
}

const (
	ndtriExp2    = 0.13533528323661269189 // exp(-2)
	ndtriRoot2Pi = 2.50662827463100050242
)

var (
	ndtriP0 = [...]float64{
		-5.99633501014107895267e1, 9.80010754185999661536e1, -5.66762857469070293439e1,
		1.39312609387279679503e1, -1.23916583867381258016e0,
	}
	ndtriQ0 = [...]float64{
		1.95448858338141759834e0, 4.67627912898881538453e0, 8.63602421390890590575e1, -2.25462687854119370527e2,
		2.00260212380060660359e2, -8.20372256168333339912e1, 1.59056225126211695515e1, -1.18331621121330003142e0,
	}
	ndtriP1 = [...]float64{
		4.05544892305962419923e0, 3.15251094599893866154e1, 5.71628192246421288162e1, 4.40805073893200834700e1,
		1.46849561928858024014e1, 2.18663306850790267539e0, -1.40256079171354495875e-1, -3.50424626827848203418e-2,
		-8.57456785154685413611e-4,
	}
	ndtriQ1 = [...]float64{
		1.57799883256466749731e1, 4.53907635128879210584e1, 4.13172038254672030440e1, 1.50425385692907503408e1,
		2.50464946208309415979e0, -1.42182922854787788574e-1, -3.80806407691578277194e-2, -9.33259480895457427372e-4,
	}
	ndtriP2 = [...]float64{
		3.23774891776946035970e0, 6.91522889068984211695e0, 3.93881025292474443415e0, 1.33303460815807542389e0,
		2.01485389549179081538e-1, 1.23716634817820021358e-2, 3.01581553508235416007e-4, 2.65806974686737550832e-6,
		6.23974539184983293730e-9,
	}
	ndtriQ2 = [...]float64{
		6.02427039364742014255e0, 3.67983563856160859403e0, 1.37702099489081330271e0, 2.16236993594496635890e-1,
		1.34204006088543189037e-2, 3.28014464682127739104e-4, 2.89247864745380683936e-6, 6.79019408009981274425e-9,
	}
)
