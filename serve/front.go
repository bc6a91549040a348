package serve

import (
	"context"
	"net"
)

// A Front is a front end that listens on a port of its own.
type Front struct {
	Name  string // of its flag and in logs: grpc makes --grpc and HEW_GRPC
	Addr  string // where it listens unless told otherwise, ":8081"
	Title string // in the usage text: "gRPC"

	// New returns a server of the models. It is called once, before Serve.
	New func(*Models) Server
}

// A Server is a front end at work. *http.Server is one.
type Server interface {
	// Serve answers what comes on the listener until Shutdown, and returns at
	// once when that is called. An error before that stops the whole process.
	Serve(net.Listener) error

	// Shutdown closes the listener, lets requests in flight finish and returns
	// when they have. When the context ends it cuts them off and returns the
	// context's error.
	Shutdown(context.Context) error
}
