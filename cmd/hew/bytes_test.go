package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseBytes(t *testing.T) {
	for s, want := range map[string]int64{"1500000": 1500000, "512M": 512 << 20, "1.5G": 3 << 29, "64kB": 64 << 10, "2GiB": 2 << 30} {
		got, err := parseBytes(s)
		require.NoError(t, err, s)
		require.Equal(t, want, got, s)
	}
	for _, s := range []string{"", "M", "-1G", "0", "1T", "1e300G", "NaN", "12 M", "MB12"} {
		_, err := parseBytes(s)
		require.Error(t, err, s)
	}
}
