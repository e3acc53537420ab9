package explain

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/clusterdns/clusterdns/test/kit/coredns"
	"github.com/clusterdns/clusterdns/test/kit/namespace"
)

// served is a Corefile of a server that runs, with lines ahead of kubernetes and properties.
func served(dir, ahead, properties string) string {
	return fmt.Sprintf(".:0 {\n bind 127.0.0.1\n %s\n kubernetes cluster.local {\n  manifests %s\n  %s\n }\n file %s .\n}\n",
		ahead, filepath.Join(dir, "cluster.yaml"), properties, filepath.Join(dir, "root.db"))
}

// world writes the objects and the root zone.
func world(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range map[string]string{"cluster.yaml": objects + ready, "root.db": root} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// ready is a headless Service with an endpoint.
const ready = `
---
apiVersion: v1
kind: Service
metadata: {name: ring, namespace: shop}
spec: {clusterIP: None, ports: [{name: gossip, port: 7946}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ring-x, namespace: shop, labels: {kubernetes.io/service-name: ring}}
addressType: IPv4
ports: [{name: gossip, port: 7946}]
endpoints: [{addresses: [10.1.0.7], hostname: ring-0}]
`

// ask asks the server of this process by a command in a process of its own, as in a Pod.
func ask(args ...string) (text string, code int) {
	cmd := exec.Command(os.Args[0], append([]string{"-server", strconv.Itoa(os.Getpid()), "-from", "shop"}, args...)...)
	cmd.Env = append(os.Environ(), commandVariable+"=yes")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		return err.Error(), -1
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// TestRunning: the server that runs says what it serves, through the plugins that it has.
func TestRunning(t *testing.T) {
	s := coredns.StartTest(t, served(world(t), "rewrite name exact app.example api.shop.svc.cluster.local answer auto\n template ANY ANY blocked.cluster.local {\n rcode NXDOMAIN\n }", "explain"))
	s.AwaitServing()
	for _, tc := range []struct {
		name  string
		args  []string
		code  int
		words []string
	}{
		{"answered", []string{"api"}, 0, []string{"data         whole  serial 1", "10.96.0.7", "by kubernetes", "Service shop/api  ClusterIP 10.96.0.7", "question 1 is answered"}},
		{"what the server has of endpoints", []string{"ring"}, 0, []string{"EndpointSlice shop/ring-x  1 ready: 10.1.0.7", "Service shop/ring  headless"}},
		{"no ready endpoint", []string{"db"}, 3, []string{"the server has no ready endpoint of it", "run coredns explain with a kubeconfig"}},
		{"no such endpoint", []string{"ring-1.ring"}, 3, []string{"the server has no ready endpoint ring-1 of Service shop/ring", "1 ready: 10.1.0.7"}},
		{"another Namespace", []string{"queue"}, 3, []string{"Namespace data has one", "write queue.data"}},
		{"a Namespace that is not there", []string{"api.shopp"}, 3, []string{"Namespace shopp does not exist"}},
		{"an alias that fails", []string{"old"}, 3, []string{"alias of gone.example.net", "NXDOMAIN"}},
		{"a port that is not there", []string{"_x._tcp.ring", "-type", "SRV"}, 3, []string{"has no port _x._tcp"}},
		{"a rewrite ahead", []string{"app.example."}, 0, []string{"10.96.0.7"}},
		{"a template ahead", []string{"x.blocked.cluster.local."}, 3, []string{"template, which is asked ahead of kubernetes"}},
		{"a Pod that the server does not know", []string{"api", "-from", "shop/web"}, 0, []string{"does not know dnsPolicy and dnsConfig", "does not know the address of Pod shop/web"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text, code := ask(tc.args...)
			checkProse(t, text)
			if code != tc.code {
				t.Errorf("exit code %d, want %d", code, tc.code)
			}
			for _, w := range tc.words {
				if !strings.Contains(text, w) {
					t.Errorf("without %q", w)
				}
			}
			if t.Failed() {
				t.Log("\n" + text)
			}
		})
	}
}

// TestRunningNoPod: a server that watches Pods knows whether the one that asks is there.
func TestRunningNoPod(t *testing.T) {
	dir := world(t)
	const more = `
---
apiVersion: v1
kind: Pod
metadata: {name: own, namespace: shop}
spec: {dnsPolicy: None, dnsConfig: {searches: [data.svc.cluster.local], options: [{name: ndots, value: "2"}]}}
status: {phase: Running, podIP: 10.1.0.20}
---
apiVersion: v1
kind: Pod
metadata: {name: host, namespace: shop}
spec: {hostNetwork: true}
status: {phase: Running, podIP: 10.1.0.21}
`
	if err := os.WriteFile(filepath.Join(dir, "cluster.yaml"), []byte(objects+more), 0o600); err != nil {
		t.Fatal(err)
	}
	s := coredns.StartTest(t, served(dir, "", "explain\n  pods verified"))
	s.AwaitServing()
	const want = "the server knows no Pod shop/nobody with an address: write one that runs behind -from, or the Namespace alone\n"
	if text, code := ask("api", "-from", "shop/nobody"); code != 4 || text != want {
		t.Errorf("exit code %d, %s", code, text)
	}
	if text, code := ask("queue", "-from", "shop/own"); code != 0 || !strings.Contains(text, "resolv.conf  search data.svc.cluster.local  ndots:2  (None)") {
		t.Errorf("exit code %d, %s", code, text)
	}
	if text, code := ask("api", "-from", "shop/host"); code != 4 || !strings.Contains(text, "ClusterFirstWithHostNet") {
		t.Errorf("exit code %d, %s", code, text)
	}
	if text, code := ask("api", "-from", "shop/web-6f9c"); code != 0 || strings.Contains(text, "does not know the address") {
		t.Errorf("exit code %d, %s", code, text)
	}
	if text, code := ask("api", "-from", "shopp"); code != 3 || !strings.Contains(text, "Namespace shopp does not exist, so no Pod asks from there") {
		t.Errorf("exit code %d, %s", code, text)
	}
	if text, code := ask("http://api:80/"); code != 0 || !strings.Contains(text, "is a URL") {
		t.Errorf("exit code %d, %s", code, text)
	}
	if text, code := ask("10.96.0.7"); code != 3 || !strings.Contains(text, "10.96.0.7 is an address") || !strings.Contains(text, "PTR") {
		t.Errorf("exit code %d, %s", code, text)
	}
}

// TestRunningJSON: the JSON of a running server is that of manifests, and says what its data is.
func TestRunningJSON(t *testing.T) {
	dir := world(t)
	s := coredns.StartTest(t, served(dir, "", "explain"))
	s.AwaitServing()
	fields := func(text string) map[string]any {
		all := map[string]any{}
		if err := json.Unmarshal([]byte(text), &all); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		return all
	}
	text, code := ask("api", "-o", "json")
	got := fields(text)
	text, _ = run{args: []string{"api", "-from", "shop", "-o", "json"}}.explain(t)
	for field := range fields(text) {
		if _, ok := got[field]; !ok {
			t.Errorf("without %s", field)
		}
	}
	data, _ := got["data"].(map[string]any)
	if code != 0 || got["source"] != "server" || data["synced"] != true || data["serial"] == 0.0 {
		t.Errorf("exit code %d, %v", code, got)
	}
}

// TestRunningWithoutData: a server that has not heard of its cluster says so, and what to look at.
func TestRunningWithoutData(t *testing.T) {
	s := coredns.StartTest(t, ".:0 {\n bind 127.0.0.1\n kubernetes cluster.local {\n  endpoint http://127.0.0.1:1\n  startup_timeout 0s\n  explain\n }\n}\n")
	s.AwaitServing()
	text, code := ask("api")
	for _, w := range []string{"data         none yet", "SERVFAIL", "cause: the server has no data of the cluster yet", "may it list and watch each kind"} {
		if !strings.Contains(text, w) || code != 4 {
			t.Errorf("exit code %d, want 4 and %q:\n%s", code, w, text)
		}
	}
}

// TestRunningOnlyWhenAsked: without the property nobody can ask, and the environment can say it as well.
func TestRunningOnlyWhenAsked(t *testing.T) {
	dir := world(t)
	s := coredns.StartTest(t, served(dir, "", ""))
	s.AwaitServing()
	if text, code := ask("api"); code != 1 || !strings.Contains(text, "answers commands") || !strings.Contains(text, "write explain into the block of the directive kubernetes in its Corefile, or set CLUSTERDNS_EXPLAIN=on in its environment, with kubeadm: kubectl -n kube-system set env deployment/coredns CLUSTERDNS_EXPLAIN=on") {
		t.Errorf("exit code %d, %s", code, text)
	}
	t.Setenv("CLUSTERDNS_EXPLAIN", "on")
	reload(t, s, served(dir, "", ""))
	if text, code := ask("api"); code != 0 {
		t.Errorf("exit code %d, %s", code, text)
	}
	reload(t, s, served(dir, "", "explain off"))
	if text, code := ask("api"); code != 1 {
		t.Errorf("exit code %d, %s", code, text)
	}
}

func reload(t *testing.T, s *coredns.Server, corefile string) {
	t.Helper()
	if err := s.Reload(coredns.Input(corefile)); err != nil {
		t.Fatal(err)
	}
	s.AwaitServing()
}

// TestRunningThroughReloads: no question of a command is lost by a reload, and the new Corefile answers after it.
// A reload that fails changes nothing.
func TestRunningThroughReloads(t *testing.T) {
	dir := world(t)
	s := coredns.StartTest(t, served(dir, "", "explain"))
	s.AwaitServing()
	stop := make(chan struct{})
	var asking sync.WaitGroup
	asking.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if text, code := ask("api", "-o", "json"); code != 0 {
				t.Errorf("exit code %d, %s", code, text)
				return
			}
		}
	})
	for i := range 10 {
		reload(t, s, served(dir, "", fmt.Sprintf("ttl %d\n  explain", 10+i)))
	}
	if err := s.Reload(coredns.Input(served(dir, "", "no_such_property"))); err == nil {
		t.Error("a wrong Corefile starts")
	}
	close(stop)
	asking.Wait()
	if text, code := ask("api"); code != 0 || !strings.Contains(text, "kept for 19 s") {
		t.Errorf("exit code %d, %s", code, text)
	}
}

// TestNothingToAsk: without a server, a kubeconfig and a Corefile there is nothing to ask, and the command says all
// three.
func TestNothingToAsk(t *testing.T) {
	cmd := exec.Command(os.Args[0], "api")
	cmd.Env = append(os.Environ(), commandVariable+"=yes", "KUBECONFIG="+filepath.Join(t.TempDir(), "none"))
	cmd.SysProcAttr = namespace.Attributes(syscall.CLONE_NEWNET) // where no server of other tests listens
	out, err := cmd.CombinedOutput()
	if !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	for _, w := range []string{"CLUSTERDNS_EXPLAIN=on", "-kubeconfig", "-conf"} {
		if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(string(out), w) {
			t.Errorf("exit code %d, want 1 and %q:\n%s", code, w, out)
		}
	}
}
