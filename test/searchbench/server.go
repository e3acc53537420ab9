package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/freeport"
)

// target is a server under test, with what was measured of it.
type target struct {
	name    string
	address string
	dir     string
	cmd     *exec.Cmd
	cold    figures
	warm    figures
}

const corefile = `
.:%s {
    bind 127.0.0.1
    errors
    %s
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        kubeconfig %s
        %s
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    forward . %s
    cache 30 {
        disable success cluster.local
        disable denial cluster.local
    }
    loadbalance
}
`

// suffixes are those of the node: autopath takes them from the server's own list,
// so there are none that the machine does not have.
const suffixes = "search_suffixes"

func startServers(kubeconfig, upstream string) ([]*target, error) {
	var servers []*target
	for _, s := range []struct{ name, binary, ahead, properties string }{
		{"stock", *stockBinary, "", "pods insecure"},
		{"stock, autopath", *stockBinary, "autopath @kubernetes", "pods verified"},
		{"ours, search off", *bin, "", "pods insecure"},
		{"ours, search names", *bin, "", "pods insecure\n search names\n " + suffixes},
		{"ours, search pods", *bin, "", "pods insecure\n search pods\n " + suffixes},
	} {
		t, err := startServer(s.name, s.binary, func(port string) string {
			return fmt.Sprintf(corefile, port, s.ahead, kubeconfig, s.properties, upstream)
		})
		if t != nil {
			servers = append(servers, t)
		}
		if err != nil {
			return servers, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return servers, nil
}

func startServer(name, binary string, corefile func(port string) string) (*target, error) {
	free, err := freeport.Addrs(1)
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(free[0]) // never fails
	dir, err := os.MkdirTemp("", "searchbench-")
	if err != nil {
		return nil, err
	}
	t := &target{name: name, address: free[0], dir: dir}
	conf := filepath.Join(dir, "Corefile")
	if err := os.WriteFile(conf, []byte(corefile(port)), 0o600); err != nil {
		return t, err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return t, err
	}
	defer log.Close() // the process has a copy of its own
	t.cmd = exec.Command(binary, "-conf", conf)
	t.cmd.Stdout, t.cmd.Stderr = log, log
	t.cmd.SysProcAttr = childAttributes()
	if err := t.cmd.Start(); err != nil {
		t.cmd = nil
		return t, err
	}
	return t, t.awaitReady()
}

// awaitReady waits until the server has the cluster, and the client's Pod in it.
func (t *target) awaitReady() error {
	const patience = time.Minute
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		m, err := dns.Exchange(new(dns.Msg).SetQuestion("kubernetes.default.svc.cluster.local.", dns.TypeA), t.address)
		if err == nil && m.Rcode == dns.RcodeSuccess {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	log, err := os.ReadFile(filepath.Join(t.dir, "log"))
	if err != nil {
		return err
	}
	return fmt.Errorf("not ready after %s:\n%s", patience, log)
}

func stopServers(servers []*target) {
	for _, t := range servers {
		if t.cmd != nil {
			t.cmd.Process.Kill()
			_ = t.cmd.Wait() // it was killed
		}
		os.RemoveAll(t.dir)
	}
}

// turn looks up names that nobody has asked for, and then again.
func (t *target) turn(ctx context.Context, round int) error {
	for _, f := range []*figures{&t.cold, &t.warm} {
		before, err := cpuOf(t.cmd.Process.Pid)
		if err != nil {
			return err
		}
		for i := range *lookUps {
			name := fmt.Sprintf("n%d-%d.%s.example.com", round, i, strings.NewReplacer(" ", "", ",", "").Replace(t.name))
			if err := f.lookUp(ctx, t.address, name); err != nil {
				return err
			}
		}
		after, err := cpuOf(t.cmd.Process.Pid)
		if err != nil {
			return err
		}
		f.cpu += after - before
	}
	return nil
}
