package serve_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/serve"
)

func TestPlainAnswers(t *testing.T) {
	h := serve.Handler(newModels(t))
	for _, c := range []struct{ path, body, want string }{
		{"/predict", `[1,2,3,1]`, `{"model":"churn","version":"1","prediction":0.75,"label":"leave"}`},
		{"/predict", `{"features":[1,2,3,0]}`, `{"model":"churn","version":"1","prediction":0.25,"label":"stay"}`},
		{"/predict", ` {"age":1,"tenure":2,"member":false,"city":"Basel"} `, `{"model":"churn","version":"1","prediction":0.75,"label":"leave"}`},
		{"/predict", `{"features":{"city":"Z\u00fcrich","member":true,"tenure":null,"age":NaN}}`, `{"model":"churn","version":"1","prediction":0.75,"label":"leave"}`},
		{"/predict", `[null,"NaN",1,2]`, `{"model":"churn","version":"1","prediction":0.75,"label":"leave"}`},
		{"/predict", `[-Infinity,0,0,0]`, `{"model":"churn","version":"1","prediction":0.25,"label":"stay"}`},
		{"/predict?model=argmax", `[2.0]`, `{"model":"argmax","version":"7","prediction":2,"label":"c"}`},
		{"/predict?model=argmax", `{"x":1e0}`, `{"model":"argmax","version":"7","prediction":1,"label":"b"}`},
		{"/predict?model=echo%2F%C3%B6", `[0.1,2]`, `{"model":"echo/ö","version":"1","prediction":[0.1,2,2.1]}`},
		{"/predict?model=echo%2F%C3%B6&version=2", `["Infinity",NaN]`, `{"model":"echo/ö","version":"2","prediction":[null,null,null]}`},
		{"/batch_predict", `[[1,2,3,1],{"age":0,"tenure":0,"member":0,"city":0}]`, `{"model":"churn","version":"1","predictions":[0.75,0.25],"labels":["leave","stay"]}`},
		{"/batch_predict", `{"rows":[[1,2,3,"Basel"]]}`, `{"model":"churn","version":"1","predictions":[0.75],"labels":["leave"]}`},
		{"/batch_predict", `{"instances":[]}`, `{"model":"churn","version":"1","predictions":[],"labels":[]}`},
		{"/batch_predict?model=echo%2F%C3%B6", `[[1,2],{"b":4,"a":3}]`, `{"model":"echo/ö","version":"1","predictions":[[1,2,3],[3,4,7]]}`},
	} {
		w := send(h, "POST", c.path, c.body)
		require.Equal(t, c.want+"\n", w.Body.String(), c.body)
		require.Equal(t, 200, w.Code)
		require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	}
}

func TestPlainRefusals(t *testing.T) {
	h := serve.Handler(newModels(t))
	for _, c := range []struct {
		path, body string
		status     int
		want       string
	}{
		{"/predict", ``, 400, `invalid JSON: it ends at byte 0, want a row: an array or an object`},
		{"/predict", `5`, 400, `invalid JSON: byte 0 is '5', want a row: an array or an object`},
		{"/predict", `[1,2,3]`, 400, `it has 3 values, want 4`},
		{"/predict", `[1,2,3,4,5,6]`, 400, `it has 6 values, want 4`},
		{"/predict", `[1,2,3,4] x`, 400, `invalid JSON: byte 10 is 'x', want the end`},
		{"/predict", `[1,2,3,1e39]`, 400, `feature "city": 1e39 does not fit float32`},
		{"/predict", `[1e999,2,3,1]`, 400, `feature "age": 1e999 does not fit float32`},
		{"/predict", `[true,2,3,1]`, 400, `invalid JSON: byte 1 is 't', want a number for feature "age"`},
		{"/predict", `["old",2,3,1]`, 400, `feature "age" takes numbers, not text`},
		{"/predict", `[[1],2,3,1]`, 400, `invalid JSON: byte 1 is '[', want a number for feature "age"`},
		{"/predict", `[1,2,3,"Zurich"]`, 400, `feature "city" has no category "Zurich" (did you mean "Zürich"?)`},
		{"/predict", `[1,2,3,"NaN"]`, 400, `feature "city" has no category "NaN"`},
		{"/predict", `{}`, 400, `feature "age" is not there (null means missing)`},
		{"/predict", `{"age":1,"tenure":2,"city":0}`, 400, `feature "member" is not there (null means missing)`},
		{"/predict", `{"age":1,"tenur":2,"member":1,"city":0}`, 400, `unknown feature "tenur" (did you mean "tenure"?)`},
		{"/predict", `{"age":1,"tenure":2,"member":1,"city":0,"age":1}`, 400, `feature "age" is there twice`},
		{"/predict", `{"features":[1,2,3,1],"x":1}`, 400, `unknown key "x" beside features`},
		{"/predict", `{"features":[1,2,3,1]`, 400, `invalid JSON: it ends at byte 21, want ',' or '}'`},
		{"/predict?model=echo%2F%C3%B6", `[1,"x"]`, 400, `feature "b" takes category codes, the model does not know their text`},
		{"/predict?model=none", `[1]`, 404, `unknown model "none"`},
		{"/predict?version=2", `[1]`, 404, `model "churn" has no version "2" (it has 1)`},
		{"/predict?modle=churn", `[1]`, 400, `unknown query parameter "modle" (did you mean "model"?)`},
		{"/predict?model=a&model=b", `[1]`, 400, `query parameter "model" is there twice`},
		{"/predict?model=%zz", `[1]`, 400, `invalid query: invalid URL escape "%zz"`},
		{"/batch_predict", `{}`, 400, `the body has no rows`},
		{"/batch_predict", `{"row":[]}`, 400, `unknown key "row"; want rows or instances`},
		{"/batch_predict", `{"rows":[],"instances":[]}`, 400, `the body has "instances" and another key; want rows or instances alone`},
		{"/batch_predict", `[1,2,3,4]`, 400, `row 0: invalid JSON: byte 1 is '1', want a row: an array or an object`},
		{"/batch_predict", `[[1,2,3,4],[1,2,3]]`, 400, `row 1: it has 3 values, want 4`},
		{"/batch_predict", `[[1,2,3,4],[1,2,3,]]`, 400, `row 1: invalid JSON: byte 18 is ']', want a number for feature "city"`},
		{"/batch_predict", "[" + strings.Repeat("[1,2,3,1],", 50) + "[1,2,3,1]]", 413, `51 rows are more than the 50 that one request may have (--max-rows)`},
		{"/batch_predict", strings.Repeat(" ", 5000), 413, `the body is larger than 4096 bytes (--max-body)`},
		{"/predict?model=argmax", `[13]`, 500, `internal error`},
	} {
		w := send(h, "POST", c.path, c.body)
		require.Equal(t, string(serve.AppendText([]byte(`{"error":`), c.want))+"}\n", w.Body.String(), c.body)
		require.Equal(t, c.status, w.Code, c.body)
		require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	}
}

// A model may have a feature called features; its rows are then objects of
// features, never a wrapper.
func TestFeatureCalledFeatures(t *testing.T) {
	p := argmax()
	p.Features[0].Name = "features"
	m, err := serve.NewModels(serve.Limits{MaxBody: 100, MaxRows: 1}, nil, p)
	require.NoError(t, err)
	w := send(serve.Handler(m), "POST", "/predict", `{"features":1}`)
	require.Equal(t, `{"model":"argmax","version":"7","prediction":1,"label":"b"}`+"\n", w.Body.String())
}

func TestHealth(t *testing.T) {
	w := send(serve.Handler(newModels(t)), "GET", "/health", "")
	require.Equal(t, `{"status":"ok","models":[{"name":"churn","version":"1"},{"name":"echo/ö","version":"1"},{"name":"echo/ö","version":"2"},{"name":"argmax","version":"7"}]}`+"\n", w.Body.String())
}
