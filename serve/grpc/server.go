// Package grpc serves predictors over gRPC: the Open Inference Protocol V2 as
// inference.GRPCInferenceService, the plain prediction.PredictionService, and
// the standard health and reflection services.
//
// The rows, limits, errors and counters are those of package serve; this package
// translates. A program that links it should be built with the tag grpcnotrace:
// without it, grpc links html/template through its debugging pages, which makes
// a server a third larger.
package grpc

import (
	"context"
	"math"
	"net"
	"path"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip" // clients may compress
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"

	"hew/serve"
	"hew/serve/grpc/proto/inference"
	"hew/serve/grpc/proto/prediction"
)

// Front is the gRPC front end, for serve.Main.
var Front = serve.Front{Name: "grpc", Addr: ":8081", Title: "gRPC", New: newServer}

// newServer returns a gRPC server of the models.
func newServer(models *serve.Models) serve.Server {
	s := &server{models: models}
	s.ending, s.end = context.WithCancel(context.Background())
	s.grpc = grpc.NewServer(
		grpc.MaxRecvMsgSize(int(min(models.MaxBody, math.MaxInt32))),
		grpc.ForceServerCodecV2(newCodec(models)),
		grpc.StreamInterceptor(s.stream),
		// Clients behind a load balancer ping to keep a quiet connection open;
		// grpc hangs up on those that do so more than every five minutes.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
	)
	s.register(inference.GRPCInferenceService_ServiceDesc, &inferenceService{models: models})
	s.register(prediction.PredictionService_ServiceDesc, &predictionService{models: models})
	health := &healthService{models: models, services: map[string]bool{"": true}}
	for name := range s.grpc.GetServiceInfo() {
		health.services[name] = true
	}
	s.register(healthpb.Health_ServiceDesc, health)
	reflection.Register(s.grpc)
	return s
}

// A server is a serve.Server.
type server struct {
	grpc   *grpc.Server
	models *serve.Models

	ending context.Context // done when the server stops
	end    context.CancelFunc
}

func (s *server) Serve(l net.Listener) error { return s.grpc.Serve(l) }

// Shutdown stops the server after the calls in flight. Streams that would never
// end of themselves, those that watch the health, are ended first.
func (s *server) Shutdown(ctx context.Context) error {
	s.end()
	done := make(chan struct{})
	go func() {
		s.grpc.GracefulStop()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		s.grpc.Stop()
		return ctx.Err()
	}
}

// register adds a service whose calls are counted and have their panics caught.
// An interceptor would do for calls that reach the service, but would not see
// those with a request that cannot be decoded.
func (s *server) register(desc grpc.ServiceDesc, impl any) {
	desc.Methods = slices.Clone(desc.Methods)
	for i := range desc.Methods {
		m := &desc.Methods[i]
		m.Handler = s.unary("/"+desc.ServiceName+"/"+m.MethodName, m.Handler)
	}
	s.grpc.RegisterService(&desc, impl)
}

// unary returns what answers the calls of a method.
func (s *server) unary(method string, handler grpc.MethodHandler) grpc.MethodHandler {
	route := s.route(method)
	return func(srv any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (resp any, err error) {
		defer s.finish(ctx, method, route, route.Begin(), &err)
		strict := func(v any) error {
			r := request{message: v}
			if err := decode(&r); err != nil {
				return err
			}
			return r.err
		}
		return handler(srv, ctx, strict, interceptor)
	}
}

// stream answers a stream, and ends it with the server.
func (s *server) stream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	defer context.AfterFunc(s.ending, cancel)()
	route := s.route(info.FullMethod)
	defer s.finish(ctx, info.FullMethod, route, route.Begin(), &err)
	return handler(srv, endingStream{stream, ctx})
}

// route returns the counters of a method: /inference.GRPCInferenceService/ModelInfer
// is counted as GRPCInferenceService/ModelInfer.
func (s *server) route(method string) *serve.Route {
	service, name := path.Split(method)
	return s.models.Metrics.Route("grpc", path.Ext(path.Clean(service))[1:]+"/"+name)
}

// An endingStream is a stream with a context that ends earlier than its own.
type endingStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s endingStream) Context() context.Context { return s.ctx }

// finish is deferred by every call; err is what the call returns.
func (s *server) finish(ctx context.Context, method string, route *serve.Route, began time.Time, err *error) {
	if v := recover(); v != nil {
		*err = s.models.Panicked("grpc "+method, v)
	}
	*err = withCode(*err)
	code := status.Code(*err)
	route.End(began, code.String())
	level := serve.LevelDebug
	if code == codes.Internal || code == codes.Unknown {
		level = serve.LevelWarn
	}
	if log := s.models.Log; log.Enabled(level) {
		log.Log(level, "request", "method", "gRPC", "path", method, "status", code.String(),
			"seconds", time.Since(began), "remote", remote(ctx))
	}
}

// remote returns the address of the client.
func remote(ctx context.Context) string {
	if p, ok := peer.FromContext(ctx); ok {
		return p.Addr.String()
	}
	return ""
}

// withCode turns an error of package serve into one that grpc sends with its
// code. Others have one already.
func withCode(err error) error {
	e, ok := err.(*serve.Error)
	if !ok {
		return err
	}
	return status.Error(code(e.Status), shorten(e.Text))
}

// code maps an HTTP status as MLServer, KServe and Triton do.
func code(httpStatus int) codes.Code {
	switch httpStatus {
	case 400:
		return codes.InvalidArgument
	case 404:
		return codes.NotFound
	case 413:
		return codes.ResourceExhausted
	case 499:
		return codes.Canceled
	case 501:
		return codes.Unimplemented
	case 503:
		return codes.Unavailable
	case 504:
		return codes.DeadlineExceeded
	}
	return codes.Internal
}

// shorten cuts a message that quotes much of a hostile request. A message
// travels in a header, and clients refuse headers of more than 8 KB.
func shorten(text string) string {
	const longest = 2048 // bytes; percent-encoding makes three of one
	if len(text) <= longest {
		return text
	}
	return text[:longest] + "…"
}
