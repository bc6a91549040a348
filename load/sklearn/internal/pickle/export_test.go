package pickle

// ReadWithin is Read with another limit for the number of values.
var ReadWithin = read
