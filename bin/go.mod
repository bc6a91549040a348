// What is built and generated here is no part of the module hew.
module bin

go 1.26
