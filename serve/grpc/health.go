package grpc

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"hew/serve"
)

// A healthService is grpc.health.v1.Health. It is not the one that comes with
// grpc, which has to be told of every change: this one asks the models, as all
// other ways to ask for readiness do.
type healthService struct {
	healthpb.UnimplementedHealthServer
	models   *serve.Models
	services map[string]bool // that have a health; "" is the server's
}

func (h *healthService) status() healthpb.HealthCheckResponse_ServingStatus {
	if h.models.Ready() {
		return healthpb.HealthCheckResponse_SERVING
	}
	return healthpb.HealthCheckResponse_NOT_SERVING
}

func (h *healthService) Check(_ context.Context, req *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	if !h.services[req.Service] {
		return nil, status.Error(codes.NotFound, "unknown service")
	}
	return &healthpb.HealthCheckResponse{Status: h.status()}, nil
}

func (h *healthService) List(context.Context, *healthpb.HealthListRequest) (*healthpb.HealthListResponse, error) {
	all := map[string]*healthpb.HealthCheckResponse{}
	for name := range h.services {
		all[name] = &healthpb.HealthCheckResponse{Status: h.status()}
	}
	return &healthpb.HealthListResponse{Statuses: all}, nil
}

// Watch sends the health now and at every change.
func (h *healthService) Watch(req *healthpb.HealthCheckRequest, stream grpc.ServerStreamingServer[healthpb.HealthCheckResponse]) error {
	const period = 200 * time.Millisecond // far below the time that a drain takes
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	last := healthpb.HealthCheckResponse_UNKNOWN
	for {
		now := healthpb.HealthCheckResponse_SERVICE_UNKNOWN
		if h.services[req.Service] {
			now = h.status()
		}
		if now != last {
			if err := stream.Send(&healthpb.HealthCheckResponse{Status: now}); err != nil {
				return err
			}
			last = now
		}
		select {
		case <-stream.Context().Done():
			return status.Error(codes.Canceled, "the stream has ended")
		case <-ticker.C:
		}
	}
}
