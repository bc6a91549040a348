package build_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	benchload "hew/bench/load"
	"hew/build"
	"hew/compile"
	"hew/interp"
	"hew/ir"
	"hew/load"
	"hew/predict"
	"hew/rows"
	"hew/serve/grpc/proto/inference"
)

const sklearnCases = "../testdata/golden-sklearn"

// TestSklearnServer builds one server of every recorded scikit-learn model and asks it,
// over REST and gRPC, for all outputs. They have the bits of the reference evaluator,
// which package load/sklearn compares with scikit-learn; labels are compared here.
func TestSklearnServer(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a server of all recorded models")
	}
	cases, models := sklearnModels(t)
	server, err := benchload.Start(compileProject(t, build.Server, models...), "http", "grpc")
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Stop()) }()
	conn, err := grpc.NewClient(server.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()
	client := inference.NewGRPCInferenceServiceClient(conn)
	for _, c := range cases {
		t.Run(c.info.Name, func(t *testing.T) {
			c.askREST(t, "http://"+server.REST)
			c.askGRPC(t, client)
		})
	}
}

// A sklearnCase is a model with rows and what the reference evaluator answers for
// them: numbers, or the names of classes.
type sklearnCase struct {
	info predict.Info
	x    predict.Values
	want map[string][]any
}

func sklearnModels(t *testing.T) (cases []sklearnCase, models []build.Model) {
	files, err := filepath.Glob(filepath.Join(sklearnCases, "*", "case.json"))
	require.NoError(t, err)
	require.Greater(t, len(files), 80)
	for i, file := range files {
		var facts struct {
			Files []string `json:"model_files"`
			Dtype string   `json:"rows_dtype"`
		}
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, &facts))
		dir := filepath.Dir(file)
		e, err := load.Options{Float32: facts.Dtype == "float32"}.File(filepath.Join(dir, facts.Files[0]))
		require.NoError(t, err)
		pkg := "m" + strconv.Itoa(i)
		o := compile.Options{Package: pkg, NoFold: i%7 == 0}
		o.Strategy = compile.Strategies(e)[i%len(compile.Strategies(e))]
		printed, _, err := compile.Package(e, o)
		require.NoError(t, err)
		info := compile.Info(e, filepath.Base(dir))
		models = append(models, build.Model{Package: pkg, Files: printed, Info: info})
		cases = append(cases, newSklearnCase(t, e, dir, info))
	}
	return cases, models
}

func newSklearnCase(t *testing.T, e *ir.Ensemble, dir string, info predict.Info) sklearnCase {
	name := filepath.Join(dir, "rows.npy")
	if _, err := os.Stat(name); err != nil {
		name = filepath.Join(dir, "rows.csv")
	}
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	table, err := rows.Read(name, f, rows.Options{Features: info.Features, Type: info.Input})
	require.NoError(t, err)
	c := sklearnCase{info, table.X, map[string][]any{}}

	m := interp.New(e)
	x := make([]float64, table.X.Len())
	for i := range x {
		x[i] = table.X.At(i)
	}
	margins := make([]float64, table.NumRows*e.Outputs)
	m.Margin64(margins, x)
	for i, a := range e.Answers {
		got := make([]float64, table.NumRows*e.VectorWidth(a.Vector))
		m.Answer64(i, got, margins, x)
		for j, v := range got {
			if a.Labels != nil {
				l := a.Labels[j%len(a.Labels)]
				c.want[a.Name] = append(c.want[a.Name], l.Texts[int(v)])
			} else {
				c.want[a.Name] = append(c.want[a.Name], v)
			}
		}
	}
	return c
}

// same compares an output's values, as JSON has them, with those wanted. Labels that
// are numbers or truth values are compared as text.
func (c *sklearnCase) same(t *testing.T, name string, got []any) {
	want := c.want[name]
	require.Len(t, got, len(want), name)
	for i, w := range want {
		switch w := w.(type) {
		case float64:
			require.Equal(t, w, got[i], "%s %d", name, i)
		default:
			g := fmt.Sprint(got[i])
			if l := c.labelType(name, i); l == "bool" || l == "float" {
				g, w = fmt.Sprint(number(t, g)), fmt.Sprint(number(t, w.(string)))
			}
			require.Equal(t, w, g, "%s %d", name, i)
		}
	}
}

func (c *sklearnCase) labelType(name string, i int) string {
	for _, a := range c.info.Answers {
		if a.Name == name {
			return a.Labels[i%len(a.Labels)].Type
		}
	}
	return ""
}

// number reads a number, or a truth value as Python or JSON write it.
func number(t *testing.T, s string) float64 {
	if b, err := strconv.ParseBool(s); err == nil && len(s) > 1 {
		return map[bool]float64{true: 1}[b]
	}
	v, err := strconv.ParseFloat(s, 64)
	require.NoError(t, err)
	return v
}

func (c *sklearnCase) askREST(t *testing.T, server string) {
	outputs, values := "", appendJSON(nil, c.x.F64, 64)
	if c.info.Input == predict.Float32 {
		values = appendJSON(nil, c.x.F32, 32)
	}
	for name := range c.want {
		outputs += fmt.Sprintf(`,{"name":%q}`, name)
	}
	body := fmt.Sprintf(`{"inputs":[{"name":"input-0","shape":[%d,%d],"datatype":%q,"data":%s}],"outputs":[%s]}`,
		c.x.Len()/c.info.NumFeatures, c.info.NumFeatures, c.datatype(), values, outputs[1:])
	resp, err := http.Post(server+"/v2/models/"+c.info.Name+"/infer", "application/json", bytes.NewReader([]byte(body)))
	require.NoError(t, err)
	defer resp.Body.Close()
	var answer struct {
		Outputs []struct {
			Name string
			Data []any
		}
		Error string
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))
	require.Equal(t, http.StatusOK, resp.StatusCode, answer.Error)
	require.Len(t, answer.Outputs, len(c.want))
	for _, o := range answer.Outputs {
		c.same(t, o.Name, o.Data)
	}
}

func (c *sklearnCase) datatype() string {
	if c.info.Input == predict.Float32 {
		return "FP32"
	}
	return "FP64"
}

func (c *sklearnCase) askGRPC(t *testing.T, client inference.GRPCInferenceServiceClient) {
	var values any = c.x.F64
	if c.info.Input == predict.Float32 {
		values = c.x.F32
	}
	raw, err := binary.Append(nil, binary.LittleEndian, values)
	require.NoError(t, err)
	req := &inference.ModelInferRequest{
		ModelName: c.info.Name,
		Inputs: []*inference.ModelInferRequest_InferInputTensor{
			{Name: "input-0", Datatype: c.datatype(), Shape: []int64{int64(c.x.Len() / c.info.NumFeatures), int64(c.info.NumFeatures)}},
		},
		RawInputContents: [][]byte{raw},
	}
	for name := range c.want {
		req.Outputs = append(req.Outputs, &inference.ModelInferRequest_InferRequestedOutputTensor{Name: name})
	}
	resp, err := client.ModelInfer(t.Context(), req)
	require.NoError(t, err)
	require.Len(t, resp.Outputs, len(c.want))
	for i, o := range resp.Outputs {
		c.same(t, o.Name, decodeRaw(t, o.Datatype, resp.RawOutputContents[i]))
	}
}

// decodeRaw reads the values of a raw tensor.
func decodeRaw(t *testing.T, datatype string, raw []byte) (values []any) {
	for len(raw) > 0 {
		var n int
		switch datatype {
		case "FP64":
			var v float64
			n, _ = binary.Decode(raw, binary.LittleEndian, &v)
			values = append(values, v)
		case "INT64":
			var v int64
			n, _ = binary.Decode(raw, binary.LittleEndian, &v)
			values = append(values, v)
		case "BOOL":
			n = 1
			values = append(values, raw[0] != 0)
		case "BYTES":
			n = 4 + int(binary.LittleEndian.Uint32(raw))
			values = append(values, string(raw[4:n]))
		default:
			require.FailNow(t, datatype)
		}
		require.Positive(t, n)
		raw = raw[n:]
	}
	return values
}
