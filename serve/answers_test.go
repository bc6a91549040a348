package serve_test

import (
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/predict"
	"hew/serve"
)

// shades is a classifier of float64 as scikit-learn's are. Its margins are its two
// features, the second of which is a colour; the answers are a third of each, their
// difference, and the class of the larger one.
func shades(labels predict.Labels) predict.Predictor {
	p := predict.Predictor{Info: predict.Info{
		Name: "shades", Version: "1", NumFeatures: 2, NumOutputs: 2, NumMargins: 2, NumTrees: 1,
		Input: predict.Float64, Output: predict.Float64, Task: "classification",
		Features: []predict.Feature{
			{Name: "light", Type: "float", RefusesInfinite: true, RefusesTooLarge: true},
			{Name: "colour", Type: "categorical", Categories: []string{"red", "blue"}, Open: true},
		},
		Answers: []predict.Answer{
			{Name: "proba", Width: 2}, {Name: "decision", Width: 1}, {Name: "label", Width: 1, Labels: []predict.Labels{labels}},
		},
		Source: predict.Source{Format: "sklearn 1.6.1 joblib"},
	}}
	p.Margin = doubles(func(dst, x []float64) {
		for i, v := range x {
			if dst[i] = v; v != v {
				dst[i] = 9
			}
		}
	})
	p.Answer = func(i int, dst, margins, x predict.Values) {
		if x.Len() != margins.Len() {
			panic("rows and margins")
		}
		for r := range x.Len() / 2 {
			a, b := margins.F64[2*r], margins.F64[2*r+1]
			switch i {
			case 0:
				dst.F64[2*r], dst.F64[2*r+1] = a/3, b/3
			case 1:
				dst.F64[r] = b - a
			case 2:
				if dst.F64[r] = 0; b > a {
					dst.F64[r] = 1
				}
			}
		}
	}
	p.Predict = doubles(func(dst, x []float64) {
		margins := make([]float64, len(x))
		p.Margin(predict.ValuesOf(margins), predict.ValuesOf(x))
		p.Answer(0, predict.ValuesOf(dst), predict.ValuesOf(margins), predict.ValuesOf(x))
	})
	p.Leaf = func(dst []int32, x predict.Values) {
		for r := range dst {
			dst[r] = int32(r)
		}
	}
	return p
}

func doubles(f func(dst, x []float64)) func(dst, x predict.Values) {
	return func(dst, x predict.Values) { f(predict.SliceOf[float64](dst), predict.SliceOf[float64](x)) }
}

var (
	textLabels  = predict.Labels{Texts: []string{"da\"rk", "light"}, Type: "text"}
	intLabels   = predict.Labels{Texts: []string{"-1", "9007199254740993"}, Type: "int"}
	floatLabels = predict.Labels{Texts: []string{"0.1", "2.0"}, Type: "float"}
	boolLabels  = predict.Labels{Texts: []string{"False", "True"}, Type: "bool"}
)

// answer is a predictor of one float64 feature with one answer of it, and of what
// comes with answers.
func answer(name string, more ...predict.Answer) predict.Predictor {
	p := shades(textLabels)
	p.Name, p.NumFeatures, p.NumOutputs, p.NumMargins, p.Leaf = name, 1, 1, 1, nil
	p.Features = []predict.Feature{{Name: "x", Type: "float"}}
	p.Answers = append([]predict.Answer{{Name: name, Width: 1}}, more...)
	p.Answer = func(i int, dst, margins, x predict.Values) {
		w := p.Answers[i].Width
		for r := range margins.F64 {
			for k := range w {
				if dst.F64[r*w+k] = 1; i == 0 {
					dst.F64[r] = margins.F64[r] / 3
				}
			}
		}
	}
	p.Predict = doubles(func(dst, x []float64) {
		for i := range x {
			dst[i] = x[i] / 3
		}
	})
	return p
}

func handler(t testing.TB, predictors ...predict.Predictor) http.Handler {
	m, err := serve.NewModels(serve.Limits{MaxBody: 4096, MaxRows: 50}, nil, predictors...)
	require.NoError(t, err)
	return serve.Handler(m)
}

// Labels have the type that they have for the trainer, everywhere.
func TestAnswersOfEveryLabelType(t *testing.T) {
	for _, c := range []struct {
		labels   predict.Labels
		datatype string
		dark     string // as JSON
		light    string
		text     string // of light, as JSON
	}{
		{textLabels, "BYTES", `"da\"rk"`, `"light"`, `"light"`},
		{intLabels, "INT64", `-1`, `9007199254740993`, `"9007199254740993"`},
		{floatLabels, "FP64", `0.1`, `2`, `"2.0"`},
		{boolLabels, "BOOL", `false`, `true`, `"True"`},
	} {
		h := handler(t, shades(c.labels))
		w := send(h, "GET", "/v2/models/shades", "")
		require.Equal(t, `{"name":"shades","versions":["1"],"platform":"hew_sklearn","inputs":[{"name":"input-0","datatype":"FP64","shape":[-1,2]}],"outputs":[`+
			`{"name":"predict","datatype":"`+c.datatype+`","shape":[-1,1]},{"name":"proba","datatype":"FP64","shape":[-1,2]},`+
			`{"name":"decision","datatype":"FP64","shape":[-1,1]},{"name":"label","datatype":"`+c.datatype+`","shape":[-1,1]},`+
			`{"name":"margin","datatype":"FP64","shape":[-1,2]},{"name":"leaf","datatype":"INT32","shape":[-1,1]}]}`+"\n", w.Body.String())

		const proba = `0.3333333333333333,0.03333333333333333`
		w = send(h, "POST", "/predict", `[0.1,"blue"]`)
		require.Equal(t, `{"model":"shades","version":"1","prediction":`+c.light+`,"probabilities":[0.03333333333333333,0.3333333333333333],"label":`+c.text+`}`+"\n", w.Body.String())
		w = send(h, "POST", "/batch_predict", `[[1,0.1],{"light":0.1,"colour":1}]`)
		dark := string(serve.AppendText(nil, c.labels.Texts[0]))
		require.Equal(t, `{"model":"shades","version":"1","predictions":[`+c.dark+`,`+c.light+`],"probabilities":[[`+proba+`],[0.03333333333333333,0.3333333333333333]],`+
			`"labels":[`+dark+`,`+c.text+`]}`+"\n", w.Body.String())

		w = send(h, "POST", "/v2/models/shades/infer", tensor(`[2,2]`, "FP64", `[1,0.1,0.1,1]`))
		require.Equal(t, `{"model_name":"shades","model_version":"1","outputs":[{"name":"predict","datatype":"`+c.datatype+`","shape":[2,1],"data":[`+c.dark+`,`+c.light+`]},`+
			`{"name":"proba","datatype":"FP64","shape":[2,2],"data":[`+proba+`,0.03333333333333333,0.3333333333333333]}]}`+"\n", w.Body.String())
		w = send(h, "POST", "/v2/models/shades/infer", strings.TrimSuffix(tensor(`[1,2]`, "FP64", `[1,0.1]`), "}")+
			`,"outputs":[{"name":"leaf"},{"name":"decision"},{"name":"margin"},{"name":"label"}]}`)
		require.Equal(t, `{"model_name":"shades","model_version":"1","outputs":[{"name":"leaf","datatype":"INT32","shape":[1,1],"data":[0]},`+
			`{"name":"decision","datatype":"FP64","shape":[1,1],"data":[-0.9]},{"name":"margin","datatype":"FP64","shape":[1,2],"data":[1,0.1]},`+
			`{"name":"label","datatype":"`+c.datatype+`","shape":[1,1],"data":[`+c.dark+`]}]}`+"\n", w.Body.String())
	}
}

// What the trainer's predict gives is called prediction, and the first answer, if
// it is another one, by its name.
func TestPlainAnswersByName(t *testing.T) {
	label := predict.Answer{Name: "label", Width: 1, Labels: []predict.Labels{{Texts: []string{"-1", "1"}, Type: "int"}}}
	both := predict.Answer{Name: "label", Width: 2, Labels: []predict.Labels{{Texts: []string{"a", "b"}, Type: "text"}, {Texts: []string{"0", "7"}, Type: "int"}}}
	h := handler(t, answer("predict"), answer("score", predict.Answer{Name: "decision", Width: 1}, label), answer("decision", label), answer("proba", both))
	const third = `0.3333333333333333`
	for model, want := range map[string]string{
		"predict":  `"prediction":` + third,
		"score":    `"prediction":1,"score":` + third + `,"label":"1"`,
		"decision": `"prediction":1,"decision":` + third + `,"label":"1"`,
		"proba":    `"prediction":["b","7"],"probabilities":` + third + `,"label":["b","7"]`,
	} {
		w := send(h, "POST", "/predict?model="+model, `[1]`)
		require.Equal(t, `{"model":"`+model+`","version":"1",`+want+"}\n", w.Body.String())
	}
	for model, want := range map[string]string{
		"predict":  `"predictions":[` + third + `]`,
		"score":    `"predictions":[1],"scores":[` + third + `],"labels":["1"]`,
		"decision": `"predictions":[1],"decisions":[` + third + `],"labels":["1"]`,
		"proba":    `"predictions":[["b","7"]],"probabilities":[` + third + `],"labels":[["b","7"]]`,
	} {
		w := send(h, "POST", "/batch_predict?model="+model, `[[1]]`)
		require.Equal(t, `{"model":"`+model+`","version":"1",`+want+"}\n", w.Body.String())
	}
	for model, want := range map[string]string{ // what a V2 request gets that names no outputs
		"predict":  `{"name":"predict","datatype":"FP64","shape":[1,1],"data":[` + third + `]}`,
		"score":    `{"name":"predict","datatype":"INT64","shape":[1,1],"data":[1]}`,
		"decision": `{"name":"predict","datatype":"INT64","shape":[1,1],"data":[1]}`,
		"proba":    `{"name":"predict","datatype":"BYTES","shape":[1,2],"data":["b","7"]},{"name":"proba","datatype":"FP64","shape":[1,1],"data":[` + third + `]}`,
	} {
		w := send(h, "POST", "/v2/models/"+model+"/infer", tensor(`[1,1]`, "FP64", `[1]`))
		require.Equal(t, `{"model_name":"`+model+`","model_version":"1","outputs":[`+want+"]}\n", w.Body.String())
	}
}

// Margins are computed once, and not at all for the first answer alone.
func TestAnswersShareMargins(t *testing.T) {
	calls := ""
	p := shades(textLabels)
	margin, answer, pure := p.Margin, p.Answer, shades(textLabels)
	p.Margin = func(dst, x predict.Values) { calls += "m"; margin(dst, x) }
	p.Answer = func(i int, dst, margins, x predict.Values) {
		calls += string(rune('0' + i))
		answer(i, dst, margins, x)
	}
	p.Predict = func(dst, x predict.Values) { calls += "p"; pure.Predict(dst, x) }
	m, err := serve.NewModels(serve.Limits{MaxBody: 1 << 30, MaxRows: 1 << 20}, nil, p)
	require.NoError(t, err)
	model := m.All()[0]
	x := predict.ValuesOf([]float64{1, 0, 0, 1})
	var r serve.Result
	for names, want := range map[string]string{
		"proba": "p", "proba leaf": "p", "leaf": "", "margin": "m", "decision": "m1", "predict": "m2", "predict label": "m2",
		"label proba margin decision": "m012", "proba margin": "m0",
	} {
		var wanted []*serve.Output
		for name := range strings.FieldsSeq(names) {
			o, err := model.Wanted(name)
			require.NoError(t, err)
			wanted = append(wanted, o)
		}
		calls = ""
		require.NoError(t, model.Score(t.Context(), &r, x, wanted))
		require.Equal(t, want, calls, names)
		for _, o := range wanted {
			if o.Name == "predict" || o.Name == "label" {
				require.Equal(t, []float64{0, 1}, r.Values(o).F64)
			}
		}
	}

	// Nobody asks for the margins of many rows: they take little memory.
	many := predict.MakeValues(predict.Float64, 2*300_000)
	for i := range many.Len() {
		many.Set(i, float64(i*7919%1000))
	}
	calls = ""
	require.NoError(t, model.Score(t.Context(), &r, many, model.Outputs()[:1]))
	require.Equal(t, "m2m2m2", calls)
	got := r.Values(model.Outputs()[0])
	for row, class := range got.F64 {
		if want := many.F64[2*row+1] > many.F64[2*row]; want != (class == 1) {
			t.Fatalf("row %d: class %v", row, class)
		}
	}
}

// Numbers keep all their digits in a model of float64, and lose them in FP32.
func TestDoublesAreParsedOnce(t *testing.T) {
	h := handler(t, shades(textLabels))
	margins := func(body string) string {
		w := send(h, "POST", "/v2/models/shades/infer", strings.TrimSuffix(body, "}")+`,"outputs":[{"name":"margin"}]}`)
		_, data, _ := strings.Cut(w.Body.String(), `"data":`)
		return strings.TrimSuffix(data, "}]}\n")
	}
	for _, c := range []struct{ datatype, data, want string }{
		{"FP64", `[0.1,1.00000005960464477539062500001]`, `[0.1,1.0000000596046448]`},
		{"FP32", `[0.1,1.00000005960464477539062500001]`, `[0.10000000149011612,1.0000001192092896]`},
		{"INT64", `[9007199254740993,-16777217]`, `[9007199254740992,-16777217]`},
		{"UINT64", `[18446744073709551615,16777217]`, `[18446744073709552000,16777217]`},
		{"INT32", `[16777217,-2147483648]`, `[16777217,-2147483648]`},
		{"BOOL", `[true,false]`, `[1,0]`},
		{"FP64", `[-2.5e-300,1e300]`, `[-2.5e-300,1e+300]`},
		{"FP64", `[1,null]`, `[1,9]`},
	} {
		require.Equal(t, c.want, margins(tensor(`[1,2]`, c.datatype, c.data)), c.datatype)
	}
	for _, c := range []struct{ path, body, want string }{
		{"/predict", `[0,1e999]`, `feature "colour": 1e999 does not fit float64`},
		{"/v2/models/shades/infer", tensor(`[1,2]`, "FP64", `[0,1e999]`), `1e999 does not fit FP64`},
		{"/v2/models/shades/infer", tensor(`[1,2]`, "FP32", `[0,1e39]`), `1e39 does not fit FP32`},
	} {
		w := send(h, "POST", c.path, c.body)
		require.Equal(t, 400, w.Code)
		requireError(t, w.Body.Bytes(), c.want)
	}
	w := send(h, "POST", "/predict", `[0.30000000000000004,2.2250738585072011e-308]`)
	require.Contains(t, w.Body.String(), `"probabilities":[0.10000000000000002,7.41691286169067e-309]`)
}

// A text that is no category is an error, unless the feature is open; what is
// missing is NaN.
func TestTextsOfOpenFeatures(t *testing.T) {
	closed := shades(textLabels)
	closed.Name, closed.Features[1].Open = "closed", false
	empty := shades(textLabels)
	empty.Name, empty.Features[1].Categories = "empty", nil
	h := handler(t, shades(textLabels), closed, empty)
	bytes := func(light, colour string) string {
		return `{"inputs":[` + column("light", "FP64", light) + `,` + column("colour", "BYTES", colour) + `],"outputs":[{"name":"margin"}]}`
	}
	for _, c := range []struct{ path, body, want string }{
		{"/v2/models/shades/infer", bytes(`[5,5]`, `["blue","green"]`), `"data":[5,1,5,-1]`},
		{"/v2/models/shades/infer", bytes(`[5,null]`, `[null,"NaN"]`), `"data":[5,9,9,-1]`},
		{"/v2/models/closed/infer", bytes(`[5,5]`, `[null,"red"]`), `"data":[5,9,5,0]`},
		{"/v2/models/closed/infer", bytes(`[5,5]`, `["red","green"]`), `row 1: feature \"colour\" has no category \"green\"`},
		{"/v2/models/empty/infer", bytes(`[5,5]`, `["red","green"]`), `"data":[5,-1,5,-1]`},
		{"/v2/models/shades/infer", tensor(`[1,2]`, "BYTES", `["red","blue"]`), `row 0: feature \"light\" takes numbers, not text`},
		{"/v2/models/shades/infer", strings.TrimSuffix(tensor(`[2,2]`, "BYTES", `[[null,"blue"],[null,null]]`), "}") + `,"outputs":[{"name":"margin"}]}`, `"data":[9,1,9,9]`},
		{"/predict", `[5,"green"]`, `"probabilities":[1.6666666666666667,-0.3333333333333333]`},
		{"/predict", `[5,"NaN"]`, `"probabilities":[1.6666666666666667,-0.3333333333333333]`},
		{"/predict", `{"colour":null,"light":5}`, `"probabilities":[1.6666666666666667,3]`},
		{"/predict?model=closed", `[5,"green"]`, `feature \"colour\" has no category \"green\"`},
		{"/predict?model=empty", `[5,"green"]`, `"probabilities":[1.6666666666666667,-0.3333333333333333]`},
	} {
		require.Contains(t, send(h, "POST", c.path, c.body).Body.String(), c.want, c.body)
	}
}

// Rows that the trainer refuses are refused, with the reason and the place.
func TestRefusals(t *testing.T) {
	double, single := shades(textLabels), churn()
	double.Features[1].Accepts = []float64{-1, 0, 1}
	double.Features[1].RefusesMissing = true
	single.Features[0].RefusesMissing, single.Features[1].RefusesInfinite = true, true
	h := handler(t, double, single)
	const infer = "/v2/models/shades/infer"
	for _, c := range []struct {
		path, body string
		status     int
		want       string
	}{
		{"/predict", `[null,1]`, 200, ""},
		{"/predict", `[3.4028235e38,-1]`, 200, ""},
		{"/predict", `[3.40282350000000001e38,-1]`, 200, ""},
		{"/predict", `[1e39,1]`, 400, `row 0: feature "light": the value is beyond the range of float32, in which the model compares`},
		{"/predict", `["-Infinity",1]`, 400, `row 0: feature "light": the model takes no infinite value here`},
		{"/predict", `[1,0.5]`, 400, `row 0: feature "colour": 0.5 is not one of the 3 values that the model was trained with`},
		{"/predict", `[1,null]`, 400, `row 0: feature "colour": the model takes no missing value here`},
		{"/batch_predict", `[[1,1],[1,1],[Infinity,1]]`, 400, `row 2: feature "light": the model takes no infinite value here`},
		{infer, tensor(`[2,2]`, "FP64", `[1,1,1,2]`), 400, `row 1: feature "colour": 2 is not one of`},
		{infer, tensor(`[2,2]`, "FP32", `[1,1,Infinity,1]`), 400, `row 1: feature "light": the model takes no infinite value here`},
		{infer, `{"inputs":[` + column("light", "FP64", `[0,1]`) + `,` + column("colour", "BYTES", `["blue",null]`) + `]}`, 400, `row 1: feature "colour": the model takes no missing`},
		{"/predict?model=churn", `[1,2,3,1]`, 200, ``},
		{"/predict?model=churn", `[1,2,"Infinity",null]`, 200, ``},
		{"/predict?model=churn", `[null,2,3,1]`, 400, `row 0: feature "age": the model takes no missing value here`},
		{"/predict?model=churn", `[1,"Infinity",3,1]`, 400, `row 0: feature "tenure": the model takes no infinite value here`},
	} {
		w := send(h, "POST", c.path, c.body)
		require.Equal(t, c.status, w.Code, "%s %s", c.body, w.Body)
		if c.status != 200 {
			requireError(t, w.Body.Bytes(), c.want)
		}
	}
}

func TestNewModelsRefusesAnswers(t *testing.T) {
	for want, spoil := range map[string]func(*predict.Predictor){
		`it cannot predict`:                                      func(p *predict.Predictor) { p.Answer = nil },
		`unknown type of numbers "float16"`:                      func(p *predict.Predictor) { p.Output = "float16" },
		`its first answer has 2 values, its prediction 1`:        func(p *predict.Predictor) { p.NumOutputs = 1 },
		`answer "decision" has 0 values and 0 lists of labels`:   func(p *predict.Predictor) { p.Answers[1].Width = 0 },
		`answer "label" has 2 values and 1 lists of labels`:      func(p *predict.Predictor) { p.Answers[2].Width = 2 },
		`two outputs are named "proba"`:                          func(p *predict.Predictor) { p.Answers[1].Name = "proba" },
		`two outputs are named "leaf"`:                           func(p *predict.Predictor) { p.Answers[1].Name = "leaf" },
		`answer "label": label "da\"rk" is not of the type of t`: func(p *predict.Predictor) { p.Answers[2].Labels[0].Type = "int" },
	} {
		p := shades(textLabels)
		spoil(&p)
		_, err := serve.NewModels(serve.Limits{}, nil, p)
		require.ErrorContains(t, err, `model "shades": `+want)
	}
}

// A predictor that gives a class that does not exist is at fault, not the request.
func TestImpossibleClass(t *testing.T) {
	for _, class := range []float64{-1, 2, math.NaN(), math.Inf(1)} {
		p := shades(textLabels)
		p.Answer = func(i int, dst, _, _ predict.Values) { dst.F64[0] = class }
		w := send(handler(t, p), "POST", "/predict", `[1,1]`)
		require.Equal(t, 500, w.Code)
		requireError(t, w.Body.Bytes(), "of 2")
	}
}

// The answer's labels count for its size, as texts that may be long.
func TestLongLabelsMakeLargeAnswers(t *testing.T) {
	p := shades(predict.Labels{Texts: []string{"", strings.Repeat("long", 100)}, Type: "text"})
	h := handler(t, p)
	rows := "[" + strings.Repeat("[1,0],", 10) + "[1,0]]"
	w := send(h, "POST", "/batch_predict", rows)
	require.Equal(t, 413, w.Code)
	requireError(t, w.Body.Bytes(), "ask for fewer rows or outputs")
	require.Equal(t, 200, send(h, "POST", "/batch_predict", `[[1,0]]`).Code)
}

// A model that compares in float64 and sums in float32, and one the other way
// round, and requests to them in turn.
func TestMixedTypes(t *testing.T) {
	mixed := func(in, out predict.Type) predict.Predictor {
		p := echo("1")
		p.Name, p.Input, p.Output, p.NumOutputs, p.NumMargins = string(in+"-"+out), in, out, 2, 2
		p.Predict = func(dst, x predict.Values) {
			if dst.Type() != out || x.Type() != in {
				panic("types")
			}
			for i := range x.Len() {
				dst.Set(i, x.At(i))
			}
		}
		p.Margin = p.Predict
		return p
	}
	f, d := predict.Type(predict.Float32), predict.Type(predict.Float64)
	h := handler(t, mixed(f, f), mixed(f, d), mixed(d, f), mixed(d, d))
	for range 3 {
		for model, want := range map[string]string{
			"float32-float32": `[0.1,16777216]`, "float32-float64": `[0.10000000149011612,16777216]`,
			"float64-float32": `[0.1,16777216]`, "float64-float64": `[0.1,16777217]`,
		} {
			w := send(h, "POST", "/predict?model="+model, `[0.1,16777217]`)
			require.Contains(t, w.Body.String(), `"prediction":`+want+`}`, model)
			w = send(h, "POST", "/v2/models/"+model+"/infer", tensor(`[1,2]`, "FP64", `[0.1,16777217]`))
			require.Contains(t, w.Body.String(), `"data":`+want+`}`, model)
		}
	}
}
