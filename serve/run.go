package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"hew/predict"
)

// Off in Config.Addrs switches a front end off.
const Off = "off"

// A Config says how to serve. DefaultConfig returns one to start from.
type Config struct {
	Limits

	// Addrs holds the address of each front end by name, "http" for REST; one
	// that is not there listens where it does by default, or not at all if Off.
	Addrs map[string]string

	ReadTimeout  time.Duration // for a whole request to arrive
	DrainDelay   time.Duration // from the signal to stop until listening ends
	DrainTimeout time.Duration // until requests in flight are cut off after that

	Log      io.Writer // nil for none
	LogLevel Level

	// Started, if not nil, is called when all front ends listen, with the
	// address of each by name.
	Started func(map[string]net.Addr)
}

// DefaultConfig returns what the flags are by default.
func DefaultConfig() Config {
	return Config{
		Limits:       Limits{MaxBody: 64 << 20, MaxRows: 100_000},
		Addrs:        map[string]string{},
		ReadTimeout:  30 * time.Second,
		DrainDelay:   500 * time.Millisecond,
		DrainTimeout: 25 * time.Second, // Kubernetes kills after 30
		LogLevel:     LevelInfo,
	}
}

func (c *Config) check() error {
	if c.MaxBody < 1 || c.MaxRows < 1 {
		return errors.New("max-body and max-rows must be positive")
	}
	if c.ReadTimeout <= 0 || c.DrainTimeout <= 0 || c.DrainDelay < 0 {
		return errors.New("timeouts must be positive")
	}
	return nil
}

// Run serves the predictors over REST and the given front ends until the context
// is done. Then it drains: readiness is off at once; for DrainDelay requests are
// answered as before, so that load balancers notice; then nobody new is let in
// and the requests in flight finish. It returns nil if none was cut off.
func Run(ctx context.Context, c Config, predictors []predict.Predictor, fronts ...Front) error {
	if err := c.check(); err != nil {
		return err
	}
	var log *Log
	if c.Log != nil {
		log = NewLog(c.Log, c.LogLevel)
	}
	models, err := NewModels(c.Limits, log, predictors...)
	if err != nil {
		return err
	}
	g := &group{models: models, failed: make(chan error, 1+len(fronts))}
	if err := g.listen(c.Addrs, append([]Front{httpFront(c.ReadTimeout)}, fronts...)); err != nil {
		return err
	}
	if c.Started != nil {
		c.Started(g.addrs())
	}
	g.serve()
	select {
	case err = <-g.failed:
	case <-ctx.Done():
		log.Info("draining", "delay", c.DrainDelay, "timeout", c.DrainTimeout)
		models.draining.Store(true)
		time.Sleep(c.DrainDelay)
	}
	if drained := g.shutdown(c.DrainTimeout); err == nil {
		err = drained
	}
	if err == nil {
		log.Info("stopped")
	}
	return err
}

func httpFront(readTimeout time.Duration) Front {
	return Front{Name: "http", Addr: ":8080", New: func(m *Models) Server { return newHTTP(m, readTimeout) }}
}

// A group is the front ends of one process.
type group struct {
	models  *Models
	members []member
	failed  chan error
}

type member struct {
	name     string
	listener net.Listener
	server   Server
}

// listen opens the ports of all front ends, or of none.
func (g *group) listen(addrs map[string]string, fronts []Front) error {
	for _, f := range fronts {
		addr, ok := addrs[f.Name]
		if !ok {
			addr = f.Addr
		}
		if addr == Off {
			continue
		}
		l, err := net.Listen("tcp", addr)
		if err != nil {
			g.close()
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		g.members = append(g.members, member{f.Name, l, f.New(g.models)})
	}
	if len(g.members) == 0 {
		return errors.New("every front end is off")
	}
	return nil
}

func (g *group) close() {
	for _, m := range g.members {
		m.listener.Close()
	}
}

func (g *group) addrs() map[string]net.Addr {
	addrs := map[string]net.Addr{}
	for _, m := range g.members {
		addrs[m.name] = m.listener.Addr()
	}
	return addrs
}

// serve starts the servers. Their listeners accept already.
func (g *group) serve() {
	for _, m := range g.members {
		g.models.Log.Info("listening", "front", m.name, "addr", m.listener.Addr().String())
		go func() {
			if err := m.server.Serve(m.listener); err != nil {
				g.failed <- fmt.Errorf("%s: %w", m.name, err)
			}
		}()
	}
}

// shutdown stops all servers at the same time.
func (g *group) shutdown(timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	errs := make([]error, len(g.members))
	var wait sync.WaitGroup
	for i, m := range g.members {
		wait.Go(func() {
			if err := m.server.Shutdown(ctx); err != nil {
				errs[i] = fmt.Errorf("%s: requests in flight were cut off: %w", m.name, err)
			}
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}
