package check

import (
	"errors"
	"io"
	"log"
	"slices"
	"sync"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
)

// errEnough ends a start when everything is known that is needed.
var errEnough = errors.New("nothing is started")

// input is a Corefile for caddy. A pointer to it identifies the instance that is made from it.
type input struct {
	path string
	body []byte
}

// Body implements caddy.Input.
func (i *input) Body() []byte { return i.body }

// Path implements caddy.Input.
func (i *input) Path() string { return i.path }

// ServerType implements caddy.Input.
func (i *input) ServerType() string { return "dns" }

// rehearsal is the start that is being rehearsed. caddy calls us back without saying for which
// instance, so there is one at a time.
var rehearsal struct {
	register sync.Once
	one      sync.Mutex
	mu       sync.Mutex // guards then
	then     func(caddy.Context) error
}

// Rehearse has CoreDNS start a Corefile up to the moment when it would open something: the plugins are set up
// and the servers are made. Then it calls then and goes no further. No plugin's hooks for a start are called.
// The files that plugins read while they are set up are read. An error is the one that the start would end with,
// or that of then.
func Rehearse(path string, body []byte, then func(*caddy.Instance, []caddy.Server) error) error {
	rehearsal.one.Lock()
	defer rehearsal.one.Unlock()
	rehearsal.register.Do(registerCallback)
	in := &input{path, body}
	setThen(func(ctx caddy.Context) error { return lookAround(in, ctx, then) })
	defer setThen(nil)
	if _, err := caddy.Start(in); !errors.Is(err, errEnough) {
		return err
	}
	return nil
}

// registerCallback has caddy call us when all plugins have been set up.
func registerCallback() {
	last := dnsserver.Directives[len(dnsserver.Directives)-1]
	caddy.RegisterParsingCallback("dns", last, func(ctx caddy.Context) error {
		rehearsal.mu.Lock()
		then := rehearsal.then
		rehearsal.mu.Unlock()
		if then == nil {
			return nil
		}
		return then(ctx)
	})
}

func setThen(then func(caddy.Context) error) {
	rehearsal.mu.Lock()
	rehearsal.then = then
	rehearsal.mu.Unlock()
}

// captureLog collects the log of the process until the function that it returns is called.
func captureLog(w io.Writer) (restore func()) {
	before, flags := log.Writer(), log.Flags()
	log.SetOutput(w)
	log.SetFlags(0)
	return func() {
		log.SetOutput(before)
		log.SetFlags(flags)
	}
}

// lookAround makes the servers. It fails if caddy must go no further.
func lookAround(in *input, ctx caddy.Context, then func(*caddy.Instance, []caddy.Server) error) error {
	all := caddy.Instances()
	i := slices.IndexFunc(all, func(i *caddy.Instance) bool { return i.Caddyfile() == caddy.Input(in) })
	if i < 0 {
		return nil // another instance starts in this process
	}
	servers, err := ctx.MakeServers()
	if err != nil {
		return err
	}
	if err := then(all[i], servers); err != nil {
		return err
	}
	return errEnough
}
