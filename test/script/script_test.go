package script

import (
	"flag"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/clusterdns/clusterdns/test/kit/freeport"
	"github.com/clusterdns/clusterdns/test/kit/locked"
)

var update = flag.Bool("update", false, "write the answers that scripts compare with anew")

func TestScripts(t *testing.T) {
	dir, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.RunT(serial{t}, testscript.Params{
		Dir:                dir,
		Setup:              setup,
		Cmds:               commands(),
		RequireUniqueNames: true,
		UpdateScripts:      *update,
	})
}

// serial runs the scripts one after another, because a process has one working folder, one
// log and one set of metrics.
type serial struct{ *testing.T }

func (serial) Parallel() {}

func (serial) Verbose() bool { return testing.Verbose() }

func (t serial) Run(name string, f func(testscript.T)) {
	t.T.Run(name, func(t *testing.T) { f(serial{t}) })
}

// printers are the commands that only print, and that eventually can repeat.
var printers = map[string]printer{
	"dig":     dig,
	"ask":     ask,
	"http":    get,
	"counter": counter,
	"logs":    logs,
}

// commands returns all commands of ours; testscript adds cmp, stdout, stderr, mv, rm and
// more.
func commands() map[string]func(ts *testscript.TestScript, neg bool, args []string) {
	all := map[string]func(ts *testscript.TestScript, neg bool, args []string){
		"start":      start,
		"reload":     reload,
		"replace":    replace,
		"hammer":     startHammer,
		"rest":       rest,
		"refuse":     once(refuse),
		"eventually": eventually,
	}
	for name, p := range printers {
		all[name] = once(p)
	}
	return all
}

// ports are the variables that stand for a free port.
var ports = []string{"PORT", "OTHER", "UPSTREAM", "READY", "HEALTH", "METRICS"}

type stateKey struct{}

// state is the state of a script between commands.
type state struct {
	server  server
	log     *locked.Buffer
	metrics map[string]float64 // at the beginning of the script
	hammer  *hammer            // nil if none runs
}

func stateOf(ts *testscript.TestScript) *state { return ts.Value(stateKey{}).(*state) }

func setup(env *testscript.Env) error {
	if err := choosePorts(env); err != nil {
		return err
	}
	before, err := totals()
	if err != nil {
		return err
	}
	s := &state{log: captureLog(env), metrics: before}
	env.Values[stateKey{}] = s
	if err := enter(env); err != nil {
		return err
	}
	env.Defer(s.server.stop)
	return nil
}

// enter makes the script's folder the working folder while the script runs.
func enter(env *testscript.Env) error {
	before, err := os.Getwd()
	if err != nil {
		return err
	}
	env.Defer(func() { env.T().(serial).check(os.Chdir(before)) })
	return os.Chdir(env.WorkDir)
}

func (t serial) check(err error) {
	if err != nil {
		t.Error(err)
	}
}

func choosePorts(env *testscript.Env) error {
	free, err := freeport.Addrs(len(ports))
	if err != nil {
		return err
	}
	for i, name := range ports {
		_, number, _ := net.SplitHostPort(free[i]) // never fails
		env.Setenv(name, number)
	}
	return nil
}
