package clusterdns

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/coredns/caddy"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/explain"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/socket"
	"github.com/clusterdns/clusterdns/plugin/internal/fastpath"
	"github.com/clusterdns/clusterdns/plugin/internal/top"
	"github.com/clusterdns/clusterdns/plugin/internal/watch"
)

// explainModes are those of the property explain: to answer the command of that name.
var explainModes = onOff(socket.Explain)

func parseExplain(cfg *config, c *caddy.Controller, args []string) error {
	return cfg.explain.parse(explainModes, c, args)
}

func (cfg *config) explainFrom(environment func(string) string) error {
	return cfg.explain.from(explainModes, environment)
}

// inquiries answers the commands of the Pod: coredns explain and coredns top. It belongs to the process: a reload only changes who answers.
var inquiries inquirer

type inquirer struct {
	mu       sync.Mutex
	listener *socket.Listener
	of       *fastpath.Instance // that answers, or nil
	allowed  inquired
	corefile caddy.Input
	ended    bool // of has ended
}

// inquired says which commands an instance answers.
type inquired struct{ explain, top bool }

type inquiredKey struct{}

// inquire has an instance answer commands while it serves, if a server block of it wants that.
func inquire(c *caddy.Controller, cfg *config, fast *fastpath.Instance, log clog.P) {
	others, _ := c.Get(inquiredKey{}).(inquired)
	c.Set(inquiredKey{}, inquired{explain: others.explain || cfg.explain.mode, top: others.top || cfg.top.mode})
	input := corefile.InputOf(c)
	watch.OnServing(c, func() {
		wanted, _ := c.Get(inquiredKey{}).(inquired)
		if err := inquiries.begin(wanted, fast, input); err != nil {
			log.Warningf("coredns explain and coredns top cannot ask this server: %v", err)
		}
	})
	c.OnShutdown(func() error { return inquiries.end(fast, false) })
	c.OnFinalShutdown(func() error { return inquiries.end(fast, true) })
}

// begin has an instance answer. If it does not want to, nobody does once the one before it has ended.
func (q *inquirer) begin(wanted inquired, fast *fastpath.Instance, input caddy.Input) (err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if wanted == (inquired{}) {
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
	q.of, q.allowed, q.corefile, q.ended = fast, wanted, input, false
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
	q.listener, q.of, q.allowed, q.corefile, q.ended = nil, nil, inquired{}, nil, false
}

// afterReload is how long a question waits for the instance that follows one that has ended.
const afterReload = 5 * time.Second

// surviving returns what a function answers. A fault in what only commands need must not end the server.
func surviving(answer func() []byte) (reply []byte) {
	defer func() {
		if fault := recover(); fault != nil {
			reply = refusal(fmt.Sprintf("it failed over this question, and serves on: %v", fault))
		}
	}()
	return answer()
}

// answer answers a command. What was counted is there during a reload too.
func (q *inquirer) answer(ctx context.Context, question []byte) []byte {
	allowed := q.commands()
	switch isTop := string(question) == top.Question; {
	case isTop && !allowed.top:
		return notAllowed("it does not count who asks what", socket.Top)
	case isTop:
		return surviving(tally.Answer)
	case !allowed.explain:
		return notAllowed("it does not explain", socket.Explain)
	}
	return surviving(func() []byte { return q.explain(ctx, question) })
}

// commands returns which commands are answered.
func (q *inquirer) commands() inquired {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.allowed
}

// notAllowed is the reply to a command without its permission.
func notAllowed(what string, missing socket.Permission) []byte {
	return refusal(what + ": " + missing.Needed())
}

// refusal is a reply to any command.
func refusal(text string) []byte {
	packed, _ := json.Marshal(map[string]string{"error": text}) // never fails
	return packed
}

func (q *inquirer) explain(ctx context.Context, question []byte) []byte {
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
	return refusal("no server block serves a cluster")
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
