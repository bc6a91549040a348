package build_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
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
	"hew/internal/npy"
	"hew/interp"
	"hew/ir"
	"hew/load"
	"hew/predict"
	"hew/serve/grpc/proto/inference"
)

const golden = "../testdata/golden-xgboost"

// TestGoldenServer builds one server of every golden model and asks it, over REST
// and gRPC, for margins, predictions and leaves of the recorded rows. They are
// the trainer's, bit for bit.
func TestGoldenServer(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a server of all golden models")
	}
	cases, models := goldenModels(t)
	project, err := build.NewProject("goldens", build.Server, models)
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, project.Write(dir))
	exe := filepath.Join(dir, "goldens")
	_, err = build.Compile(t.Context(), dir, exe, build.Target{})
	require.NoError(t, err)

	server, err := benchload.Start(exe, "http", "grpc")
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Stop()) }()
	conn, err := grpc.NewClient(server.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()
	client := inference.NewGRPCInferenceServiceClient(conn)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.askREST(t, "http://"+server.REST)
			c.askGRPC(t, client)
		})
	}
}

// A goldenCase is a model with rows and what the trainer answered for them.
type goldenCase struct {
	name     string
	rows     []float32
	features int
	want     map[string][]float32 // by output; leaf numbers are small enough
}

func goldenModels(t *testing.T) ([]goldenCase, []build.Model) {
	dirs, err := filepath.Glob(filepath.Join(golden, "*"))
	require.NoError(t, err)
	require.Len(t, dirs, 151)
	var cases []goldenCase
	var models []build.Model
	for i, dir := range dirs {
		e, err := load.File(filepath.Join(dir, "model.ubj"))
		if os.IsNotExist(err) {
			e, err = load.File(filepath.Join(dir, "model.json"))
		}
		require.NoError(t, err)
		pkg := "m" + strconv.Itoa(i)
		strategy := "branch" // compiles faster; package compile tests every model in every strategy
		if i%10 == 0 {
			strategy = "auto"
		}
		files, _, err := compile.Package(e, compile.Options{Package: pkg, Strategy: strategy})
		require.NoError(t, err)
		name := filepath.Base(dir)
		models = append(models, build.Model{Package: pkg, Files: files, Info: compile.Info(e, name)})
		cases = append(cases, newGoldenCase(t, e, dir, name))
	}
	return cases, models
}

func newGoldenCase(t *testing.T, e *ir.Ensemble, dir, name string) goldenCase {
	c := goldenCase{name: name, rows: array(t, dir, "rows"), features: len(e.Features), want: map[string][]float32{}}
	var facts struct {
		Missing *float32 `json:"missing_value"`
	}
	data, err := os.ReadFile(filepath.Join(dir, "case.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &facts))
	for i, v := range c.rows {
		if facts.Missing != nil && v == *facts.Missing {
			c.rows[i] = float32(math.NaN())
		}
	}
	if array(t, dir, "base_margin") != nil { // a server takes none: the reference answers without it
		m, n := interp.New(e), len(c.rows)/c.features
		c.want["margin"], c.want["predict"] = make([]float32, n*e.Outputs), make([]float32, n*e.Link.Width(e.Outputs))
		m.Margin(c.want["margin"], c.rows)
		m.Predict(c.want["predict"], c.rows)
		return c
	}
	for _, output := range []string{"margin", "predict", "leaf"} {
		if want := array(t, dir, output); want != nil && (output != "leaf" || len(e.Trees) > 0) {
			c.want[output] = want
		}
	}
	require.GreaterOrEqual(t, len(c.want), 2, name)
	return c
}

// array returns the values of a recorded array, or nil if the case has none.
func array(t *testing.T, dir, name string) []float32 {
	f, err := os.Open(filepath.Join(dir, name+".npy"))
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	defer f.Close()
	a, err := npy.Read(f)
	require.NoError(t, err)
	return a.Float32s()
}

// bitsOf returns the bits of values, the same for any NaN.
func bitsOf(values []float32) []uint32 {
	bits := make([]uint32, len(values))
	for i, v := range values {
		if bits[i] = math.Float32bits(v); v != v {
			bits[i] = 0x7fc00000
		}
	}
	return bits
}

// A tensor is an output of a V2 answer.
type tensor struct {
	Name string     `json:"name"`
	Data []*float32 `json:"data"`
}

func (c *goldenCase) askREST(t *testing.T, server string) {
	outputs := ""
	for name := range c.want {
		outputs += fmt.Sprintf(`,{"name":%q}`, name)
	}
	body := fmt.Appendf(nil, `{"inputs":[{"name":"input-0","shape":[%d,%d],"datatype":"FP32","data":`, len(c.rows)/c.features, c.features)
	body = appendJSON(body, c.rows, 32)
	body = fmt.Appendf(body, `}],"outputs":[%s]}`, outputs[1:])
	resp, err := http.Post(server+"/v2/models/"+c.name+"/infer", "application/json", bytes.NewReader(body))
	require.NoError(t, err)
	defer resp.Body.Close()
	var answer struct {
		Outputs []tensor `json:"outputs"`
		Error   string   `json:"error"`
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))
	require.Equal(t, http.StatusOK, resp.StatusCode, answer.Error)
	require.Len(t, answer.Outputs, len(c.want))
	for _, o := range answer.Outputs {
		want := c.want[o.Name]
		require.Len(t, o.Data, len(want), o.Name)
		for i, v := range o.Data {
			if v == nil { // JSON has neither NaN nor infinities
				require.True(t, want[i] != want[i] || math.IsInf(float64(want[i]), 0), "%s %d is null, want %v", o.Name, i, want[i])
				continue
			}
			require.Equal(t, math.Float32bits(want[i]), math.Float32bits(*v), "REST %s %d: %v, want %v", o.Name, i, *v, want[i])
		}
	}
}

// appendJSON appends values as a JSON array with the words that the protocol's
// clients use where JSON has none.
func appendJSON[T predict.Number](b []byte, values []T, bits int) []byte {
	b = append(b, '[')
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		switch {
		case v != v:
			b = append(b, "null"...)
		case math.IsInf(float64(v), 0):
			b = append(b, map[bool]string{true: "Infinity", false: "-Infinity"}[v > 0]...)
		default:
			b = strconv.AppendFloat(b, float64(v), 'g', -1, bits)
		}
	}
	return append(b, ']')
}

func (c *goldenCase) askGRPC(t *testing.T, client inference.GRPCInferenceServiceClient) {
	raw, err := binary.Append(nil, binary.LittleEndian, c.rows)
	require.NoError(t, err)
	req := &inference.ModelInferRequest{
		ModelName: c.name,
		Inputs: []*inference.ModelInferRequest_InferInputTensor{
			{Name: "input-0", Datatype: "FP32", Shape: []int64{int64(len(c.rows) / c.features), int64(c.features)}},
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
		got := make([]float32, len(resp.RawOutputContents[i])/4)
		if o.Datatype == "INT32" {
			leaves := make([]int32, len(got))
			_, err = binary.Decode(resp.RawOutputContents[i], binary.LittleEndian, leaves)
			for j, v := range leaves {
				got[j] = float32(v)
			}
		} else {
			_, err = binary.Decode(resp.RawOutputContents[i], binary.LittleEndian, got)
		}
		require.NoError(t, err)
		require.Equal(t, bitsOf(c.want[o.Name]), bitsOf(got), "gRPC %s", o.Name)
	}
}
