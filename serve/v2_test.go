package serve_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/predict"
	"hew/serve"
)

func TestV2Metadata(t *testing.T) {
	h := serve.Handler(newModels(t))
	const echo = `{"name":"echo/ö","versions":["1","2"],"platform":"hew","inputs":[{"name":"input-0","datatype":"FP32","shape":[-1,2]}],` +
		`"outputs":[{"name":"predict","datatype":"FP32","shape":[-1,3]},{"name":"margin","datatype":"FP32","shape":[-1,3]}]}`
	for _, c := range []struct{ method, path, body, want string }{
		{"GET", "/v2", "", `{"name":"hew","version":"dev","extensions":["model_repository"]}`},
		{"GET", "/v2/health/live", "", `{"live":true}`},
		{"GET", "/v2/health/ready", "", `{"ready":true}`},
		{"GET", "/v2/models", "", `{"models":["churn","echo/ö","argmax"]}`},
		{"GET", "/v2/models/churn", "", `{"name":"churn","versions":["1"],"platform":"hew_xgboost","inputs":[{"name":"input-0","datatype":"FP32","shape":[-1,4]}],` +
			`"outputs":[{"name":"predict","datatype":"FP32","shape":[-1,1]},{"name":"margin","datatype":"FP32","shape":[-1,1]},{"name":"leaf","datatype":"INT32","shape":[-1,2]}]}`},
		{"GET", "/v2/models/echo%2F%c3%b6", "", echo},
		{"GET", "/v2/models/echo%2Fö/versions/2", "", echo},
		{"GET", "/v2/models/churn/ready", "", `{"name":"churn","ready":true}`},
		{"GET", "/v2/models/churn/versions/1/ready", "", `{"name":"churn","ready":true}`},
		{"POST", "/v2/repository/index", `{"ready":true,"repository_name":"x"}`, `[{"name":"churn","version":"1","state":"READY","reason":""},{"name":"echo/ö","version":"1","state":"READY","reason":""},` +
			`{"name":"echo/ö","version":"2","state":"READY","reason":""},{"name":"argmax","version":"7","state":"READY","reason":""}]`},
	} {
		w := send(h, c.method, c.path, c.body)
		require.Equal(t, c.want+"\n", w.Body.String(), c.path)
		require.Equal(t, 200, w.Code)
		if c.method == "GET" {
			require.Equal(t, 200, send(h, "HEAD", c.path, "").Code)
		}
	}
	require.Equal(t, send(h, "POST", "/v2/repository/index", `{}`).Body.String(), send(h, "POST", "/v2/repository/index", "").Body.String())
	require.Equal(t, 400, send(h, "POST", "/v2/repository/index", `[]`).Code)
	require.Equal(t, 400, send(h, "POST", "/v2/repository/index", `{"ready":1}`).Code)
	for _, path := range []string{"/v2/models/none", "/v2/models/none/ready", "/v2/models/churn/versions/2", "/v2/models/churn/versions/2/ready"} {
		require.Equal(t, 404, send(h, "GET", path, "").Code, path)
	}
}

const inferHead = `{"model_name":"churn","model_version":"1",`

// tensors makes a request of one whole-row tensor.
func tensor(shape, datatype, data string) string {
	return `{"inputs":[{"name":"input-0","shape":` + shape + `,"datatype":"` + datatype + `","data":` + data + `}]}`
}

// column makes a tensor of one feature.
func column(name, datatype, data string) string {
	return `{"name":"` + name + `","datatype":"` + datatype + `","shape":[2],"data":` + data + `}`
}

func TestInferAnswers(t *testing.T) {
	h := serve.Handler(newModels(t))
	const one = inferHead + `"outputs":[{"name":"predict","datatype":"FP32","shape":[1,1],"data":[0.75]}]}`
	const two = inferHead + `"outputs":[{"name":"predict","datatype":"FP32","shape":[2,1],"data":[0.75,0.25]}]}`
	rest := column("tenure", "INT64", `[2,0]`) + `,` + column("member", "BOOL", `[true,false]`)
	for name, c := range map[string]struct{ body, want string }{
		"flat":          {tensor(`[1,4]`, "FP32", `[1,2,3,1]`), one},
		"nested":        {tensor(`[1,4]`, "FP32", `[[1,2,3,1]]`), one},
		"nested rows":   {tensor(`[2,4]`, "FP32", `[[1,2,3,1],[0,0,0,0]]`), two},
		"flat rows":     {tensor(`[2,4]`, "FP32", `[1,2,3,1,0,0,0,0]`), two},
		"int spellings": {tensor(`[1.0,4e0]`, "FP32", `[1.0,2e0,30E-1,1]`), one},
		"missing":       {tensor(`[2,4]`, "FP32", `[null,NaN,"NaN",2,Infinity,-Infinity,"Infinity",0]`), two},
		"FP64":          {tensor(`[1,4]`, "FP64", `[1,2,null,1.1]`), one},
		"INT8":          {tensor(`[1,4]`, "INT8", `[1.0,-128,127,1]`), one},
		"INT64":         {tensor(`[1,4]`, "INT64", `[-9223372036854775808,9223372036854775807,0,1]`), one},
		"UINT64":        {tensor(`[1,4]`, "UINT64", `[18446744073709551615,0,0,1]`), one},
		"BOOL":          {tensor(`[1,4]`, "BOOL", `[true,false,true,true]`), one},
		"no rows":       {tensor(`[0,4]`, "FP32", `[]`), inferHead + `"outputs":[{"name":"predict","datatype":"FP32","shape":[0,1],"data":[]}]}`},
		"data first":    {`{"inputs":[{"data":[[1,2,3,1]],"shape":[1,4],"datatype":"FP32","name":"input-0"}]}`, one},
		"columns":       {`{"inputs":[` + rest + `,` + column("city", "BYTES", `["Basel","Bern"]`) + `,` + column("age", "FP32", `[1,0]`) + `]}`, two},
		"columns [n,1]": {`{"inputs":[` + rest + `,{"name":"city","datatype":"INT32","shape":[2,1],"data":[[1],[0]]},` + column("age", "FP32", `[1,0]`) + `]}`, two},
		"id":            {`{"id":"a\"ü","inputs":[],"inputs2":0}`, `{"error":"inputs is empty"}`},
		"echoed id":     {strings.Replace(tensor(`[1,4]`, "FP32", `[1,2,3,1]`), `{`, `{"id":"a\"\u00fc\n",`, 1), inferHead + `"id":"a\"ü\n",` + one[len(inferHead):]},
		"empty id":      {strings.Replace(tensor(`[1,4]`, "FP32", `[1,2,3,1]`), `{`, `{"id":"",`, 1), inferHead + `"id":"",` + one[len(inferHead):]},
		"unknown keys": {`{"x":{"y":[1,{"z":null}]},"parameters":{"binary_data_output":true,"headers":{"a":"b"}},"inputs":[{"name":"input-0","x":1,"parameters":{"content_type":"np"},` +
			`"shape":[1,4],"datatype":"FP32","data":[1,2,3,1]}],"outputs":[{"name":"predict","x":[],"parameters":{"binary_data":true}}]}`, one},
		"no outputs": {strings.TrimSuffix(tensor(`[1,4]`, "FP32", `[1,2,3,1]`), `}`) + `,"outputs":[]}`, one},
		"outputs": {strings.TrimSuffix(tensor(`[1,4]`, "FP32", `[1,2,3,1]`), `}`) + `,"outputs":[{"name":"leaf"},{"name":"margin"}]}`, inferHead + `"outputs":[` +
			`{"name":"leaf","datatype":"INT32","shape":[1,2],"data":[1,0]},{"name":"margin","datatype":"FP32","shape":[1,1],"data":[1321]}]}`},
	} {
		for _, path := range []string{"/v2/models/churn/infer", "/v2/models/churn/versions/1/infer"} {
			w := send(h, "POST", path, c.body)
			require.Equal(t, c.want+"\n", w.Body.String(), name)
			require.Equal(t, "application/json", w.Header().Get("Content-Type"))
		}
	}
	w := send(h, "POST", "/v2/models/echo%2F%C3%B6/infer", tensor(`[1,2]`, "FP32", `[16777217,NaN]`))
	require.Equal(t, `{"model_name":"echo/ö","model_version":"1","outputs":[{"name":"predict","datatype":"FP32","shape":[1,3],"data":[16777216,null,null]}]}`+"\n", w.Body.String())
}

// FP32 is rounded once, from the text; FP64 as a trainer rounds it that is
// given float64.
func TestInferRounding(t *testing.T) {
	h := serve.Handler(newModels(t))
	for datatype, want := range map[string]string{"FP32": "1.0000001", "FP64": "1"} {
		w := send(h, "POST", "/v2/models/echo%2F%C3%B6/infer", tensor(`[1,2]`, datatype, `[1.00000005960464477539062500001,0]`))
		require.Contains(t, w.Body.String(), `"data":[`+want+`,0,`, datatype)
	}
}

func TestInferRefusals(t *testing.T) {
	h := serve.Handler(newModels(t))
	row := func(value string) string { return tensor(`[1,4]`, "FP32", `[1,2,3,`+value+`]`) }
	with := func(more string) string { return strings.TrimSuffix(row("1"), "}") + "," + more + "}" }
	part := func(old, repl string) string { return strings.Replace(row("1"), old, repl, 1) }
	age := column("age", "FP32", `[1,0]`)
	for _, c := range []struct {
		body   string
		status int
		want   string
	}{
		{``, 400, `want an object`},
		{`[]`, 400, `want an object`},
		{`{}`, 400, `the request has no inputs`},
		{`{"inputs":{}}`, 400, `want an array`},
		{`{"inputs":[1]}`, 400, `want an object`},
		{row("1") + "x", 400, `want the end`},
		{part(`[1,2,3,1]`, `[1,2,3]`), 400, `input "input-0": the shape asks for 4 values, the data has 3`},
		{part(`[1,2,3,1]`, `[1,2,3,4,5]`), 400, `the shape asks for 4 values, the data has 5`},
		{part(`[1,4]`, `[-1,4]`), 400, `dimension -1 in a shape is negative`},
		{part(`[1,4]`, `[-1,-4]`), 400, `dimension -1 in a shape is negative`},
		{part(`[1,4]`, `[4294967296,4294967296]`), 400, `the shape is too large`},
		{part(`[1,4]`, `[1e30,4]`), 400, `dimension 1e30 in a shape is not an integer that fits`},
		{part(`[1,4]`, `[1.5,4]`), 400, `dimension 1.5 in a shape is not an integer that fits`},
		{part(`[1,4]`, `["1",4]`), 400, `want a value`},
		{part(`[1,4]`, `[4]`), 400, `input "input-0" has shape [4], want [rows,4]`},
		{part(`[1,4]`, `[4,1]`), 400, `input "input-0" has shape [4,1], want [rows,4]`},
		{part(`[1,4]`, `[1,1,4]`), 400, `input "input-0" has shape [1,1,4], want [rows,4]`},
		{part(`[1,4]`, `[]`), 400, `the shape asks for 1 values, the data has 4`},
		{part(`[1,4]`, `[1`+strings.Repeat(`,1`, 1000)+`]`), 400, `a shape has more than 8 dimensions`},
		{part(`[1,2,3,1]`, `[[1,2],[3,1]]`), 400, `the shape is [1,4], the data is nested as [2,2]`},
		{part(`[1,2,3,1]`, `[[1,2,3],[1]]`), 400, `the data is nested unevenly`},
		{part(`[1,2,3,1]`, `[[1,2,3,1],[[]]]`), 400, `the data is nested unevenly`},
		{part(`[1,2,3,1]`, `[[[[[[[[[1]]]]]]]]]`), 400, `the data is nested more than 8 deep`},
		{part(`[1,2,3,1]`, `[1,[2,3,1]]`), 400, `want a value`},
		{part(`[1,2,3,1]`, `[[1,2,3],1]`), 400, `want an array`},
		{part(`[1,2,3,1]`, strings.Repeat("[", 2000)), 400, `the data is nested more than 8 deep`},
		{part(`[1,2,3,1]`, `1`), 400, `want an array`},
		{part(`[1,2,3,1]`, `null`), 400, `want an array`},
		{`{"x":` + strings.Repeat("[", 2000), 400, `nested more than 100 deep`},
		{part(`,"data":[1,2,3,1]`, ``), 400, `input "input-0" has no data`},
		{part(`"shape":[1,4],`, ``), 400, `input "input-0" has no shape`},
		{part(`"datatype":"FP32",`, ``), 400, `input "input-0" has no datatype`},
		{part(`"name":"input-0",`, ``), 400, `an input has no name`},
		{part(`input-0`, `x`), 400, `unknown input "x"`},
		{part(`input-0`, `tenuer`), 400, `unknown input "tenuer" (did you mean "tenure"?); want one called "input-0" or one per feature`},
		{part(`"FP32"`, `"FP16"`), 400, `datatype "FP16" is not supported in JSON`},
		{part(`"FP32"`, `"fp32"`), 400, `datatype "fp32" is not supported in JSON`},
		{part(`"FP32"`, `5`), 400, `want a string`},
		{part(`"FP32"`, `"INT8"`), 200, ``},
		{tensor(`[1,4]`, "INT8", `[1,2,3,128]`), 400, `input "input-0": 128 is not an INT8`},
		{tensor(`[1,4]`, "INT8", `[1,2,3,-129]`), 400, `-129 is not an INT8`},
		{tensor(`[1,4]`, "UINT8", `[1,2,3,-1]`), 400, `-1 is not an UINT8`},
		{tensor(`[1,4]`, "INT32", `[1,2,3,1.5]`), 400, `1.5 is not an INT32`},
		{tensor(`[1,4]`, "INT32", `[1,2,3,null]`), 400, `want a value`},
		{tensor(`[1,4]`, "INT32", `[1,2,3,NaN]`), 400, `want a value`},
		{tensor(`[1,4]`, "INT32", `[1,2,3,"4"]`), 400, `want a value`},
		{tensor(`[1,4]`, "INT64", `[1,2,3,9223372036854775808]`), 400, `9223372036854775808 is not an INT64`},
		{tensor(`[1,4]`, "BOOL", `[1,0,0,1]`), 400, `want true or false`},
		{tensor(`[1,4]`, "FP64", `[1,2,3,1e300]`), 400, `1e300 does not fit float32, in which rows are scored`},
		{tensor(`[1,4]`, "FP64", `[1,2,3,1e999]`), 400, `1e999 does not fit float32`},
		{tensor(`[1,4]`, "BYTES", `["1","2","3","4"]`), 400, `row 0: feature "age" takes numbers, not text`},
		{tensor(`[1,4]`, "BYTES", `[1,2,3,4]`), 400, `want a string`},
		{row(`1e999`), 400, `1e999 does not fit FP32`},
		{row(`-1e39`), 400, `-1e39 does not fit FP32`},
		{row(`"x"`), 400, `"x" is not a number`},
		{row(`"nan"`), 400, `"nan" is not a number`},
		{row(`true`), 400, `want a value`},
		{row(`"\ud800"`), 400, `lone surrogate`},
		{row("\"\xff\""), 400, `not UTF-8`},
		{row(`1`)[:50], 400, `it ends at byte 50`},
		{with(`"id":5`), 400, `want a string`},
		{with(`"id":null`), 400, `want a string`},
		{with(`"inputs":[]`), 400, `duplicate key "inputs"`},
		{part(`"shape"`, `"name":"input-0","shape"`), 400, `duplicate key "name"`},
		{with(`"parameters":[]`), 400, `want an object of parameters`},
		{with(`"parameters":{"a":1,"a":2}`), 400, `duplicate key "a"`},
		{with(`"outputs":[{"name":"predikt"}]`), 400, `model "churn" has no output "predikt" (it has predict, margin, leaf)`},
		{with(`"outputs":[{"name":"predict"},{"name":"predict"}]`), 400, `output "predict" is asked for twice`},
		{with(`"outputs":[{}]`), 400, `an output has no name`},
		{with(`"outputs":{}`), 400, `want an array`},
		{`{"inputs":[` + age + `]}`, 400, `input "tenure" is missing (one tensor per feature, or one called "input-0")`},
		{`{"inputs":[` + age + `,` + age + `]}`, 400, `input "age" is there twice`},
		{`{"inputs":[` + age + `,` + column("input-0", "FP32", `[1,2]`) + `]}`, 400, `unknown input "input-0"`},
		{`{"inputs":[` + age + `,{"name":"tenure","datatype":"FP32","shape":[3],"data":[1,2,3]}]}`, 400, `input "tenure" has 3 rows, input "age" has 2`},
		{`{"inputs":[` + age + `,{"name":"tenure","datatype":"FP32","shape":[1,2],"data":[1,2]}]}`, 400, `input "tenure" has shape [1,2], want [rows] or [rows,1]`},
		{`{"inputs":[` + age + `,` + column("tenure", "FP32", `[1,0]`) + `,` + column("member", "FP32", `[1,0]`) + `,` + column("city", "BYTES", `["Bern","bern"]`) + `]}`, 400,
			`row 1: feature "city" has no category "bern" (did you mean "Bern"?)`},
		{tensor(`[51,4]`, "FP32", `[`+strings.Repeat("0,", 203)+`0]`), 413, `51 rows are more than the 50 that one request may have`},
		{tensor(`[1,4]`, "FP32", strings.Repeat(" ", 5000)), 413, `the body is larger than 4096 bytes`},
	} {
		w := send(h, "POST", "/v2/models/churn/infer", c.body)
		require.Equal(t, c.status, w.Code, "%.300s\n%s", c.body, w.Body)
		if c.status != 200 {
			requireError(t, w.Body.Bytes(), c.want)
		}
	}
	for path, status := range map[string]int{
		"/v2/models/none/infer": 404, "/v2/models/churn/versions/9/infer": 404, "/v2/models/%zz/infer": 404, "/v2/models//infer": 400,
	} {
		r := send(h, "POST", strings.Replace(path, "%zz", "%25zz", 1), row("1"))
		require.Equal(t, status, r.Code, path)
	}
	w := send(h, "POST", "/v2/models/churn/infer", row("1"), "Inference-Header-Content-Length: 10")
	require.Equal(t, 501, w.Code)
	requireError(t, w.Body.Bytes(), "binary tensors are not supported")
	w = send(h, "POST", "/v2/models/argmax/infer", tensor(`[1,1]`, "FP32", `[13]`))
	require.Equal(t, 500, w.Code)
	requireError(t, w.Body.Bytes(), "internal error")
}

// An answer with leaves can be much larger than its request.
func TestInferRefusesLargeAnswer(t *testing.T) {
	p := argmax()
	p.NumTrees = 2000
	p.Leaf = func(dst []int32, x predict.Values) { panic("must not be called") }
	m, err := serve.NewModels(serve.Limits{MaxBody: 4096, MaxRows: 50}, nil, p)
	require.NoError(t, err)
	w := send(serve.Handler(m), "POST", "/v2/models/argmax/infer", strings.TrimSuffix(tensor(`[1,1]`, "FP32", `[1]`), "}")+`,"outputs":[{"name":"leaf"}]}`)
	require.Equal(t, 413, w.Code)
	requireError(t, w.Body.Bytes(), "ask for fewer rows or outputs")
}

// requireError makes sure that a body is the JSON of an error that says want.
func requireError(t *testing.T, body []byte, want string) {
	t.Helper()
	var answer map[string]string
	require.NoError(t, json.Unmarshal(body, &answer), "%s", body)
	require.Len(t, answer, 1)
	require.Contains(t, answer["error"], want)
}

// Whatever comes, the answer is JSON, and never the server's fault.
func FuzzInfer(f *testing.F) {
	f.Add(tensor(`[1,4]`, "FP32", `[1,2,3,null]`))
	f.Add(`{"id":"x","parameters":{"a":1},"inputs":[` + column("age", "FP32", `[1,0]`) + `],"outputs":[{"name":"leaf"}]}`)
	f.Add(`{"age":1,"tenure":2,"member":true,"city":"Bern"}`)
	f.Add(`{"rows":[[1,2,3,4]]}`)
	for _, text := range jsonTexts {
		f.Add(text)
	}
	f.Add(tensor(`[2,2]`, "BYTES", `[[null,"blue"],[null,null]]`))
	f.Add(`[[1e300,"green"],[Infinity,null]]`)
	h := handler(f, churn(), shades(intLabels))
	paths := []string{
		"/v2/models/churn/infer", "/predict", "/batch_predict", "/v2/repository/index",
		"/v2/models/shades/infer", "/predict?model=shades", "/batch_predict?model=shades",
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, path := range paths {
			w := send(h, "POST", path, body)
			require.Less(t, w.Code, 500, "%s %s", path, w.Body)
			require.True(t, json.Valid(w.Body.Bytes()), "%s %s", path, w.Body)
		}
	})
}
