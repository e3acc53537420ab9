package starts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/bench/proc"
	"github.com/clusterdns/clusterdns/test/kit/freeport"
	"github.com/clusterdns/clusterdns/test/kit/process"
)

// program is a server to start, with its measurements.
type program struct {
	title, binary, corefile, address string
	state                            string // file that it keeps; "" for none
	question                         []byte
	log                              string
	starts                           []start
	memory                           proc.Memory // once it is quiet
}

// start is one start of a program.
type start struct{ took, cpu time.Duration }

// programs returns the servers to start. central is the server of a cluster with a cache on each node.
func programs(o Options, central string) (all []*program, err error) {
	question, err := new(dns.Msg).SetQuestion(o.Known, dns.TypeA).Pack()
	if err != nil {
		return nil, err
	}
	ports, err := freeport.Addrs(4)
	if err != nil {
		return nil, err
	}
	state := filepath.Join(o.Dir, "starts-state")
	for i, p := range []struct {
		title, binary, state string
		corefile             func(port string) string
	}{
		{"`deploy/node`, with its file", o.Ours, state, func(port string) string { return o.kubeadm(port, "endpoints headless", "state "+state) }},
		{"the same without a file", o.Ours, "", func(port string) string { return o.kubeadm(port, "endpoints headless") }},
		{"stock CoreDNS, NodeLocal DNSCache's Corefile", o.Stock, "", func(port string) string { return o.nodeLocal(port, central) }},
		{"stock CoreDNS, kubeadm's Corefile", o.Stock, "", func(port string) string { return o.kubeadm(port) }},
	} {
		path := filepath.Join(o.Dir, fmt.Sprint("starts-", i))
		_, port, _ := net.SplitHostPort(ports[i]) // never fails
		if err := os.WriteFile(path, []byte(p.corefile(port)), 0o600); err != nil {
			return nil, err
		}
		all = append(all, &program{title: p.title, binary: p.binary, corefile: path, address: ports[i], state: p.state, question: question, log: path + ".log"})
	}
	return all, nil
}

// patience is how long a start may take.
const patience = time.Minute

// start starts a server, and kills it once it answers, and has written its file. The first start of
// each is not counted: pages of the program are read from the disk then, and there is no file.
func (p *program) start(ctx context.Context, counts bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	server, took, err := p.answering(ctx)
	if err != nil {
		return err
	}
	defer server.Kill()
	cpu, err := proc.ReadCPU(server.ID())
	if counts {
		p.starts = append(p.starts, start{took, cpu.Used})
	}
	return errors.Join(err, p.awaitState(ctx))
}

// rest starts a server, and kills it once it is quiet: it has read what it watches then.
func (p *program) rest(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	server, _, err := p.answering(ctx)
	if err != nil {
		return err
	}
	defer server.Kill()
	rest, err := proc.AwaitQuiet(ctx, server.ID())
	p.memory = rest.Memory
	return err
}

// answering starts a server, and returns it and how long it took once it answers.
func (p *program) answering(ctx context.Context) (server *process.Process, took time.Duration, err error) {
	conn, err := net.Dial("udp", p.address)
	if err != nil {
		return nil, 0, err
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	context.AfterFunc(ctx, func() { conn.Close() }) // ends the questions
	go p.ask(ctx, conn)
	server, err = process.Start(p.binary, p.log, "-conf", p.corefile)
	if err != nil {
		return nil, 0, err
	}
	if err := awaitAnswer(ctx, conn); err != nil {
		err = fmt.Errorf("%w\n%s", err, server.Tail())
		server.Kill()
		return nil, 0, err
	}
	return server, time.Since(server.Began()), nil
}

// ask sends a question every millisecond.
func (p *program) ask(ctx context.Context, conn net.Conn) {
	for ctx.Err() == nil {
		_, _ = conn.Write(p.question) // nobody may listen yet
		time.Sleep(time.Millisecond)
	}
}

// awaitAnswer waits for the first answer with a record.
func awaitAnswer(ctx context.Context, conn net.Conn) error {
	var reply [512]byte
	for ctx.Err() == nil {
		n, err := conn.Read(reply[:])
		if err == nil && n > 12 && reply[3]&0xf == dns.RcodeSuccess && reply[7] > 0 {
			return nil
		}
	}
	return ctx.Err()
}

// awaitState waits until the server has written its file.
func (p *program) awaitState(ctx context.Context) error {
	for p.state != "" {
		_, err := os.Stat(p.state)
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no file: %w", ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}
