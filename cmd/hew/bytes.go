package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// parseBytes reads a number of bytes: "1500000", "512M", "1.5G".
func parseBytes(s string) (int64, error) {
	number := strings.TrimRight(strings.TrimSuffix(strings.ToUpper(s), "B"), "KMGI")
	unit := strings.TrimSuffix(strings.TrimSuffix(strings.ToUpper(s)[len(number):], "B"), "I")
	v, err := strconv.ParseFloat(number, 64)
	scale, ok := map[string]float64{"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}[unit]
	if err != nil || !ok || !(v > 0) || v*scale > math.MaxInt64/2 {
		return 0, fmt.Errorf("%q is not a number of bytes such as 512M or 2G", s)
	}
	return int64(v * scale), nil
}
