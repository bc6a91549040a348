package xgboost

// What the tests of the number parser reach for.
var (
	ScanFloat  = scanFloat
	ParseFloat = parseFloat
	ScanInt    = scanInt
)
