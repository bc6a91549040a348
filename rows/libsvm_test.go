package rows_test

import (
	"testing"

	"hew/rows"
)

func TestLibSVM(t *testing.T) {
	o := rows.Options{Features: append(numbers("a", "b"), category("c", "x", "y"))}
	// What XGBoost 3.2.0 made of these lines: DMatrix("x.svm?format=libsvm").get_data().
	wantRows(t, "x.svm", "1 1:1.5 2:0 # c\n0 2:2\r\n1 0:7 1:3\n", o,
		nan, 1.5, 0,
		nan, nan, 2,
		7, 3, nan)
	wantRows(t, "x.svm", "\n# only a comment\n1\n1:0.5\n-1 qid:7 2:1 0:nan\n\t+1e0\tqid:7  1:inf\t#0:1\n1 #", o,
		nan, nan, nan,
		nan, nan, nan,
		nan, nan, 1,
		nan, inf, nan,
		nan, nan, nan)
	wantRows(t, "x.svm", "", o)
}

func TestLibSVMErrors(t *testing.T) {
	o := rows.Options{Features: numbers("a", "b")}
	for text, want := range map[string]string{
		"yes 0:1\n":                         `line 1: label "yes" is not a number`,
		"1:x 0:1\n":                         `line 1: label "1:x" is not a number`,
		"1 0:1 2:1\n":                       `line 1: index 2 out of range [0, 2): indices count from 0`,
		"1 0:1\n\n1 99999999999999999999:1": `line 3: index "99999999999999999999" is not a whole number`,
		"1 -1:1\n":                          `line 1: index "-1" is not a whole number`,
		"1 0.5:1\n":                         `line 1: index "0.5" is not a whole number`,
		"1 0\n":                             `line 1: "0" is not index:value`,
		"1 0:\n":                            `line 1: value "" of index 0 is not a number`,
		"1 0:a\n":                           `line 1: value "a" of index 0 is not a number`,
		"1 0:1:2\n":                         `line 1: value "1:2" of index 0 is not a number`,
		"1 0:1\n1 0:1 1:2 0:nan\n":          `line 2: index 0 stands there twice`,
		"1 0:1 qid:7\n":                     `line 1: index "qid" is not a whole number`,
	} {
		t.Run(want, func(t *testing.T) { wantError(t, "x.svm", text, o, "x.svm: "+want) })
	}
	wantError(t, "x.svm", "1 0:1\n", rows.Options{}, "x.svm: libsvm rows do not tell the number of features")
}
