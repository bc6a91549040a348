package sklearn

import (
	"hew/internal/libm"
	"hew/ir"
	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

// isolationForest reads IsolationForest: the sum of the depths of the leaves, with
// what a tree of the training rows in a leaf would add.
//
// Source: sklearn/ensemble/_iforest.py, _compute_score_samples and predict.
func (r *reader) isolationForest(o *record.Object, in []column) (part, error) {
	trees, err := objects(o, "estimators_")
	if err != nil {
		return nothing, err
	}
	offset, err := number(o, "offset_")
	if err != nil {
		return nothing, err
	}
	samples, err := number(o, "_max_samples")
	if err != nil {
		if samples, err = number(o, "max_samples_"); err != nil {
			return nothing, err
		}
	}
	columns, err := r.columns32(o, in)
	if err != nil {
		return nothing, err
	}
	sub, err := subsets(o, len(trees), len(columns))
	if err != nil {
		return nothing, err
	}
	switch v := versionOf(o, r.version); {
	case v < 103: // only what a tree sees is cast to float32
		r.refuse(in, ir.Missing|ir.Infinite)
		r.refuseTree(seen(in, sub), false)
	case v < 106:
		r.refuseTree(in, false)
	}
	s := r.sums(0)
	err = r.addTrees(trees, columns, sub, s, func(_ *record.Object, n *nodes) (leafFunc, error) { return n.depths() })
	if err != nil {
		return nothing, err
	}
	p := nothing
	p.score = r.stage(r.anomaly(r.vector(s), float64(len(trees))*pathLength(samples)))
	p.decision = r.map1(ir.StageSubtract, p.score, offset)
	p.label = r.map1(ir.StageNotNegative, p.decision, 0)
	p.labels = []ir.Labels{{Texts: []string{"-1", "1"}, Type: ir.IntLabel}}
	return p, nil
}

// anomaly returns the stage of the score. Of forests over one row the denominator is
// 0, and the score that of a quotient of 1.
func (r *reader) anomaly(depths vector, denominator float64) ir.Stage {
	if denominator == 0 {
		depths, denominator = r.map1(ir.StageMultiply, depths, 0), 1
		depths = r.map1(ir.StageSubtract, depths, -1)
	}
	return ir.Stage{Code: ir.StageAnomaly, Args: []int32{depths}, A: denominator, Width: 1}
}

// depths returns what a leaf adds: the nodes on the way to it and the path length of
// its training rows, less 1.
func (n *nodes) depths() (leafFunc, error) {
	depth := make([]float64, n.n)
	depth[0] = 1
	for i := range n.n {
		if n.isLeaf(i) {
			continue
		}
		for _, child := range [2]int64{n.left.Int64(i), n.right.Int64(i)} {
			if child <= int64(i) || child >= int64(n.n) {
				return nil, fault.InNode(-1, i, fault.Formatf("child %d is not a later node of %d", child, n.n))
			}
			depth[child] = depth[i] + 1
		}
	}
	return func(dst []float64, leaf int) []float64 {
		return append(dst, depth[leaf]+pathLength(n.samples.Float64(leaf))-1)
	}, nil
}

// pathLength is the average depth of a tree of n rows.
//
// Source: sklearn/ensemble/_iforest.py, _average_path_length.
func pathLength(n float64) float64 {
	const euler = 0.577215664901532860606512090082402431
	switch {
	case n <= 1:
		return 0
	case n == 2:
		return 1
	}
	return float64(2*(libm.Log(n-1)+euler)) - float64(2*(n-1))/n
}
