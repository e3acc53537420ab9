package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// apiServer is the only part of the control plane that can be stopped.
const apiServer = "kube-apiserver"

// serve serves a Control until the context ends.
func (s *supervisor) serve(ctx context.Context) error {
	if err := os.RemoveAll(s.dir.socket()); err != nil {
		return err
	}
	listener, err := net.Listen("unix", s.dir.socket())
	if err != nil {
		return err
	}
	server := &http.Server{Handler: s.routes()}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	say("ready")
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (s *supervisor) routes() http.Handler {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /ready", func(http.ResponseWriter, *http.Request) {})
	routes.HandleFunc("POST /stop/{part}", answer(func(r *http.Request) error { return s.stopPart(r.PathValue("part"), false) }))
	routes.HandleFunc("POST /kill/{part}", answer(func(r *http.Request) error { return s.stopPart(r.PathValue("part"), true) }))
	// The part must go on running when the client disconnects.
	routes.HandleFunc("POST /start/{part}", answer(func(r *http.Request) error {
		return s.startPart(context.WithoutCancel(r.Context()), r.PathValue("part"))
	}))
	return routes
}

func answer(act func(*http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := act(r); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}
}

// Control stops and starts the parts of a node, from outside.
type Control struct{ client *http.Client }

// NewControl makes a Control, whether or not the node runs.
func NewControl(d Dir) *Control {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", d.socket())
	}
	return &Control{client: &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
}

// Ready returns nil once everything has started.
func (c *Control) Ready(ctx context.Context) error { return c.call(ctx, http.MethodGet, "/ready") }

// Stop asks a part to end and waits for it: "kube-apiserver", "kubelet",
// "containerd", "kube-proxy", "kube-scheduler" or "upstream".
func (c *Control) Stop(ctx context.Context, part string) error {
	return c.call(ctx, http.MethodPost, "/stop/"+url.PathEscape(part))
}

// Kill ends a part as a crash would.
func (c *Control) Kill(ctx context.Context, part string) error {
	return c.call(ctx, http.MethodPost, "/kill/"+url.PathEscape(part))
}

// Start starts a part, after killing it if it runs, and waits until it is ready.
func (c *Control) Start(ctx context.Context, part string) error {
	return c.call(ctx, http.MethodPost, "/start/"+url.PathEscape(part))
}

func (c *Control) call(ctx context.Context, method, path string) error {
	request, err := http.NewRequestWithContext(ctx, method, "http://node"+path, nil)
	if err != nil {
		return err
	}
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	message, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, strings.TrimSpace(string(message)))
	}
	return nil
}
