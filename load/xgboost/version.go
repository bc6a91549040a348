package xgboost

import (
	"fmt"

	"hew/load/internal/fault"
)

// A version is the one of XGBoost that wrote a file: major, minor, patch.
type version [3]int32

// newest is the newest version whose rules are known.
var newest = version{3, 4}

// before reports whether v is an earlier version than the given one.
func (v version) before(major, minor, patch int32) bool {
	for i, w := range [3]int32{major, minor, patch} {
		if v[i] != w {
			return v[i] < w
		}
	}
	return false
}

func (v version) String() string { return fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2]) }

func (v version) check() error {
	if v.before(1, 0, 0) {
		return fault.Unsupportedf("written by XGBoost %v; save it again with 1.0 or later", v)
	}
	return nil
}
