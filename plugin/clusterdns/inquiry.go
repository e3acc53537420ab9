package clusterdns

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/coredns/caddy"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/explain"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/socket"
	"github.com/clusterdns/clusterdns/plugin/internal/fastpath"
	"github.com/clusterdns/clusterdns/plugin/internal/watch"
)

// explainConfig has the value of the property explain.
type explainConfig struct {
	on  bool
	set bool // set in the Corefile
}

var explainModes = &modeTable[bool]{
	property: "explain", variable: "CLUSTERDNS_EXPLAIN", usage: "[on|off]",
	values: map[string]bool{"": true, "on": true, "off": false},
}

func parseExplain(cfg *config, c *caddy.Controller, args []string) (err error) {
	cfg.explain.set = true
	cfg.explain.on, err = explainModes.parse(c, args)
	return err
}

// explainFrom sets the mode from the environment, unless the Corefile sets it.
func (cfg *config) explainFrom(environment func(string) string) error {
	if cfg.explain.set {
		return nil
	}
	return explainModes.override(&cfg.explain.on, environment)
}

// inquiries answers coredns explain in the Pod. It belongs to the process: a reload only changes who answers.
var inquiries inquirer

type inquirer struct {
	mu       sync.Mutex
	listener *socket.Listener
	of       *fastpath.Instance // that answers, or nil
	corefile caddy.Input
	ended    bool // of has ended
}

type inquiredKey struct{}

// inquire has an instance answer coredns explain while it serves, if a server block of it wants that.
func inquire(c *caddy.Controller, on bool, fast *fastpath.Instance, log clog.P) {
	if on {
		c.Set(inquiredKey{}, true)
	}
	input := corefile.InputOf(c)
	watch.OnServing(c, func() {
		wanted, _ := c.Get(inquiredKey{}).(bool)
		if err := inquiries.begin(wanted, fast, input); err != nil {
			log.Warningf("explain: nobody can ask this server: %v", err)
		}
	})
	c.OnShutdown(func() error { return inquiries.end(fast, false) })
	c.OnFinalShutdown(func() error { return inquiries.end(fast, true) })
}

// begin has an instance answer. If it does not want to, nobody does once the one before it has ended.
func (q *inquirer) begin(wanted bool, fast *fastpath.Instance, input caddy.Input) (err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !wanted {
		if q.ended {
			q.close()
		}
		return nil
	}
	if q.listener == nil {
		if q.listener, err = socket.Listen(q.answer); err != nil {
			return err
		}
	}
	q.of, q.corefile, q.ended = fast, input, false
	return nil
}

// end records that an instance no longer answers. At the end of the process nobody does.
func (q *inquirer) end(fast *fastpath.Instance, final bool) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.of != fast {
		return nil
	}
	q.ended = true
	if final {
		q.close()
	}
	return nil
}

// close closes the socket. The caller must hold the mutex.
func (q *inquirer) close() {
	if q.listener != nil {
		go q.listener.Close() // it waits for answers, which may wait for the mutex
	}
	q.listener, q.of, q.corefile, q.ended = nil, nil, nil, false
}

// afterReload is how long a question waits for the instance that follows one that has ended.
const afterReload = 5 * time.Second

func (q *inquirer) answer(ctx context.Context, question []byte) []byte {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for begun := time.Now(); time.Since(begun) < afterReload; {
		if r := q.running(); r != nil {
			return r.Answer(ctx, question)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
	packed, _ := json.Marshal(map[string]string{"error": "no server block serves a cluster"})
	return packed
}

// running returns the instance that answers, or nil.
func (q *inquirer) running() *explain.Running {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.of == nil || q.ended {
		return nil
	}
	servers := q.of.Servers()
	if len(servers) == 0 {
		return nil
	}
	return &explain.Running{Served: q.of.Served(), Servers: servers, Corefile: q.corefile}
}
