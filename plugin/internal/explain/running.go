package explain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/explain/socket"
	"github.com/clusterdns/clusterdns/plugin/internal/fastpath"
)

// Running is a server that runs.
type Running struct {
	Served   []fastpath.Served
	Servers  []*dnsserver.Server
	Corefile caddy.Input
}

// ErrNoServer is the error where no server can be asked.
var ErrNoServer = socket.ErrNone

// response is what a running server says to a command. The command judges the Corefile, because that takes a
// process of its own.
type response struct {
	Result   *Result `json:"result,omitempty"`
	Path     string  `json:"path,omitempty"`
	Corefile []byte  `json:"corefile,omitempty"`
	Error    string  `json:"error,omitempty"`
	Absent   bool    `json:"absent,omitempty"` // the error is an AbsentError
}

// maxCorefile is the largest Corefile that a response has.
const maxCorefile = 256 << 10

// maxTypes is the largest number of types that a command asks for.
const maxTypes = 4

// Ask asks the server that runs in this PID namespace, or the one with a process number.
func Ask(ctx context.Context, process int, o Options) (*Result, error) {
	question, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	reply, err := socket.Ask(ctx, process, question)
	if err != nil {
		return nil, err
	}
	var r response
	switch err := json.Unmarshal(reply, &r); {
	case err != nil:
		return nil, fmt.Errorf("the server's reply: %w", err)
	case r.Absent:
		return nil, AbsentError{errors.New(r.Error)}
	case r.Error != "" || r.Result == nil:
		return nil, errors.New("the server says: " + r.Error)
	}
	if len(r.Corefile) > 0 {
		r.Result.judge(r.Path, r.Corefile)
	}
	return r.Result, nil
}

// Answer answers a command that asks the server.
func (r *Running) Answer(ctx context.Context, question []byte) []byte {
	var answer response
	result, err := r.explain(ctx, question)
	if err != nil {
		answer.Error, answer.Absent = err.Error(), errors.As(err, new(AbsentError))
	} else {
		answer.Result = result
		if body := r.Corefile.Body(); len(body) <= maxCorefile {
			answer.Path, answer.Corefile = r.Corefile.Path(), body
		}
	}
	packed, err := json.Marshal(answer)
	if err != nil {
		return nil
	}
	return packed
}

func (r *Running) explain(ctx context.Context, question []byte) (*Result, error) {
	var o Options
	if err := json.Unmarshal(question, &o); err != nil {
		return nil, err
	}
	if _, ok := dns.IsDomainName(o.Name); !ok || len(o.Types) == 0 || len(o.Types) > maxTypes {
		return nil, errors.New("expected a domain name, and a type")
	}
	e := newExplainer(ctx, o)
	e.known = true
	if err := e.chooseFrom(r.Served, r.Servers); err != nil {
		return nil, err
	}
	if err := e.explain(); err != nil {
		return nil, err
	}
	e.result.Source, e.result.Data = fromServer, e.data()
	return e.result, nil
}

// Data is what is known of the data that a running server answers from.
type Data struct {
	Synced   bool   `json:"synced"`
	Restored string `json:"restored,omitempty"` // the time of the state in a file that is served
	Heard    string `json:"heard,omitempty"`    // when the API server was last heard of
	Age      int64  `json:"ageSeconds"`         // since then, or since the time of the state
	Serial   uint32 `json:"serial"`
}

func (e *explainer) data() *Data {
	s := e.snapshot()
	d := &Data{Synced: s.Synced(), Serial: s.Serial()}
	at := e.served.Heard()
	if at != 0 {
		d.Heard = clockOf(at)
	}
	if restored := s.RestoredAsOf(); restored != 0 {
		at, d.Restored = restored, clockOf(restored)
	}
	if at != 0 {
		d.Age = max(0, time.Now().Unix()-at)
	}
	return d
}

func clockOf(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }

// String returns the data in one line.
func (d *Data) String() string {
	switch {
	case d.Restored != "":
		return fmt.Sprintf("restored from state, as it was at %s, %d s ago  serial %d", d.Restored, d.Age, d.Serial)
	case !d.Synced:
		return "none yet: the API server has not sent the cluster"
	case d.Heard == "":
		return fmt.Sprintf("whole  serial %d", d.Serial)
	}
	return fmt.Sprintf("whole, the API server was heard of %d s ago  serial %d", d.Age, d.Serial)
}
