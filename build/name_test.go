package build_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hew/build"
)

func TestNames(t *testing.T) {
	for file, want := range map[string]string{
		"a/churn.json": "churn", "Churn-v2.final.ubj": "Churn-v2.final", "-": "model", "": "model", ".json": "model", "/": "model",
	} {
		require.Equal(t, want, build.ModelName(file), file)
	}
	for name, want := range map[string]string{
		"churn": "churn", "Churn-v2.final": "churnv2final", "2024": "model2024", "func": "modelfunc", "main": "modelmain", "日本": "model", "true": "modeltrue", "nil": "modelnil",
	} {
		require.Equal(t, want, build.PackageName(name), name)
	}
	for out, want := range map[string]string{
		"bin/churn-server": "churn-server", "Churn Server.exe": "churnserver", "-": "model", "main": "server", "bin/index": "index-server", "all": "all-server",
	} {
		require.Equal(t, want, build.ProgramName(out), out)
	}
}
