package tune

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/compile"
	"hew/load"
)

// knobAt returns the index of a knob.
func knobAt(t *testing.T, key string) int {
	i := slices.IndexFunc(knobs, func(k knob) bool { return k.key == key })
	require.GreaterOrEqual(t, i, 0, key)
	return i
}

func TestHalfway(t *testing.T) {
	for _, c := range []struct{ knob, a, b, want string }{
		{"truncate", "10", "20", "15"},
		{"truncate", "20", "10", "15"},
		{"truncate", "10", "12", "11"},
		{"truncate", "10", "11", ""},
		{"trees", "20%", "60%", "40%"},
		{"trees", "20%", "21%", ""},
		{"epsilon", "0.001", "0.1", "0.01"},
		{"epsilon", "0.1", "0.2", "0.14"},
		{"epsilon", "0.1", "0.107", ""},
		{"min-cover", "2", "50", "10"},
		{"refit", "1", "10000", "100"},
		{"thresholds", "f16", "bf16", ""},
	} {
		k := knobAt(t, c.knob)
		got, ok := halfway(choice{k, c.a}, choice{k, c.b})
		if require.Equal(t, c.want != "", ok, "%v", c); ok {
			require.Equal(t, c.want, got)
		}
	}
}

func TestSettings(t *testing.T) {
	at := func(key, value string) choice { return choice{knobAt(t, key), value} }
	s := setting{at("truncate", "10"), at("refit", "1")}
	require.Equal(t, Candidate{Prune: "truncate=10,refit=1"}, s.candidate())

	both, ok := s.with(setting{at("epsilon", "0.1"), at("leaves", "f16")})
	require.True(t, ok)
	require.Equal(t, Candidate{"truncate=10,epsilon=0.1,refit=1", "leaves=f16"}, both.candidate())
	_, ok = s.with(setting{at("refit", "100")})
	require.False(t, ok)

	require.Equal(t, "truncate=10,refit=5", s.set(1, "5").candidate().Prune)
	require.Equal(t, "truncate=10,refit=1", s.candidate().Prune)
	require.Equal(t, "reduced-error", setting{at("reduced-error", "")}.candidate().Prune)

	require.Equal(t, "unpruned", Candidate{}.String())
	require.Equal(t, "--prune refit=1", Candidate{Prune: "refit=1"}.String())
	require.Equal(t, "--prune refit=1 --quantize leaves=f16", Candidate{"refit=1", "leaves=f16"}.String())
}

// TestKnobs: what is tried first is written as the settings' own String writes it, and
// without repetition, for all golden models.
func TestKnobs(t *testing.T) {
	var files []string
	for _, pattern := range []string{"golden-xgboost/*3.2*/model.json", "golden-sklearn/*1.6*/model.pkl"} {
		some, err := filepath.Glob("../testdata/" + pattern)
		require.NoError(t, err)
		files = append(files, some...)
	}
	require.Greater(t, len(files), 50)
	tried := map[string]bool{}
	for _, file := range files {
		e, err := load.File(file)
		require.NoError(t, err)
		for i := range knobs {
			values := knobs[i].values(e)
			require.Len(t, slices.Compact(slices.Clone(values)), len(values))
			for _, v := range values {
				c := setting{{i, v}}.candidate()
				s, err := compile.ParseSettings(c.Prune, c.Quantize)
				require.NoError(t, err, "%s: %v", file, c)
				require.Equal(t, c, Candidate{s.Prune.String(), s.Quantize.String()}, file)
				tried[knobs[i].key] = true
			}
		}
	}
	for i := range knobs {
		require.True(t, tried[knobs[i].key], "%s is never tried", knobs[i].key)
	}
}
