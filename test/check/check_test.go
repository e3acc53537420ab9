package check

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/commands"
	"github.com/clusterdns/clusterdns/test/kit/freeport"
	"github.com/clusterdns/clusterdns/test/kit/prose"
)

// finding and report are what the command prints in JSON.
type (
	finding struct {
		File     string
		Line     int
		Severity string
		Rule     string
		What     string
		Instead  string
	}
	report struct {
		Corefile                string
		Errors, Warnings, Notes int
		Findings                []finding
	}
)

// check runs the command for a Corefile.
func check(t *testing.T, path string, args ...string) (report, int) {
	t.Helper()
	var out, errOut bytes.Buffer
	code := commands.Check(append([]string{path, "-o", "json"}, args...), strings.NewReader(""), &out, &errOut)
	var r report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil || errOut.Len() > 0 {
		t.Fatalf("%v\n%s%s", err, out.String(), errOut.String())
	}
	for _, f := range r.Findings {
		prose.Check(t, f.What)
		prose.Check(t, f.Instead)
	}
	return r, code
}

// write writes a Corefile into a folder of the test.
func write(t *testing.T, corefile string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "Corefile")
	if err := os.WriteFile(path, []byte(corefile), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// kubeadm is kubeadm's Corefile with a line put into it. The line is line 6.
func kubeadm(line string) string { return kubeadmWith(line, "") }

// kubeadmWith has a property of kubernetes as well, in line 8.
func kubeadmWith(line, property string) string {
	return `.:53 {
    errors
    health {
       lameduck 5s
    }
    ` + line + `
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       ` + property + `
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    ready
    prometheus :9153
    forward . 192.0.2.53 {
       max_concurrent 1000
    }
    cache 30
    loop
    reload
    loadbalance
}
`
}

// TestBroken has Corefiles that are broken in one way each.
func TestBroken(t *testing.T) { //nolint:funlen // its rows are a table
	for _, tc := range []struct {
		name, corefile string
		line           int
		severity       string
		words          []string // in what and instead
	}{
		{"unknown plugin", kubeadm("kubernets cluster.local"), 6, "error", []string{"Unknown directive 'kubernets'", "coredns -plugins"}},
		{"unknown property", kubeadmWith("", "pod insecure"), 8, "error", []string{"unknown property 'pod'", "plugin/clusterdns/README.md"}},
		{"wrong argument", kubeadm("template IN"), 6, "error", []string{"Wrong argument count", "coredns.io/plugins/template"}},
		{"no space before a brace", kubeadm("hosts a.hosts example.org{\n ttl 60\n fallthrough\n }"), 7, "error", []string{"Unknown directive 'ttl'", "A space before the { in line 6"}},
		{"all on one line", ".:53 { whoami }\n", 1, "error", []string{"Each } on a line of its own"}},
		{"a server block in another", kubeadm("example.org:53 {\n forward . 192.0.2.7\n }"), 6, "error", []string{"A } above this line"}},
		{"a plugin of earlier days", kubeadm("proxy . 192.0.2.7"), 6, "error", []string{"forward, which has taken the place of proxy"}},
		{"UTF-16", "\xff\xfe.\x00:\x005\x003\x00", 0, "error", []string{"UTF-16", "Out-File -Encoding utf8"}},
		{"brace missing", ".:53 {\n    errors\n    health {\n       lameduck 5s\n\n    ready\n", 6, "error", []string{"Unexpected EOF"}},
		{"number expected", kubeadm("cache {\n success many\n }"), 7, "error", []string{"many"}},
		{"address expected", kubeadm("bind no-such-interface"), 6, "error", []string{"no-such-interface"}},
		{"one zone twice", kubeadm("") + "east.local:53 {\n whoami\n}\neast.local:53 {\n whoami\n}\n", 25, "error", []string{"already defined"}},
		{"plugin twice", kubeadm("loop"), 18, "error", []string{"only be used once"}},
		{"same plugin under two names", kubeadm("clusterdns cluster.local"), 6, "error", []string{"are the same plugin"}},
		{"import without a file", kubeadm("import nothing.conf"), 6, "error", []string{"File to import not found"}},
		{"search and autopath", kubeadmWith("autopath @kubernetes", "pods verified\n search names"), 12, "error", []string{"both complete search paths"}},
		{"autopath of nobody", kubeadm("autopath @clusterdns"), 6, "error", []string{"autopath asks clusterdns"}},
		{"external without a cluster", ".:53 {\n errors\n k8s_external example.org\n}\n", 3, "error", []string{"there is no cluster to show"}},
		{"negative ttl", kubeadmWith("", "ttl -1"), 8, "error", []string{"range [0, 3600]"}},

		{"AAAA denied", kubeadm("template ANY AAAA {\n rcode NXDOMAIN\n }"), 7, "warning", []string{"does not exist at all", "no_aaaa"}},
		{"IN AAAA denied", kubeadm("template IN AAAA . {\n rcode NXDOMAIN\n }"), 7, "warning", []string{"does not exist at all", "rcode NOERROR"}},
		{"template for everything", kubeadm("template IN A {\n answer \"{{ .Name }} 60 IN A 192.0.2.1\"\n }"), 6, "warning", []string{"never asked"}},
		{"template that matches some", kubeadm("template IN A example.org {\n match ^a\n answer \"{{ .Name }} 60 IN A 192.0.2.1\"\n }"), 6, "warning", []string{"SERVFAIL", "fallthrough"}},
		{"hosts without fallthrough", kubeadm("hosts {\n 192.0.2.1 a.example.org\n }"), 6, "warning", []string{"SERVFAIL", "fallthrough"}},
		{"forward to the Service", strings.Replace(kubeadm(""), "192.0.2.53", "10.96.0.10", 1), 14, "warning", []string{"questions go round", "loop stops the server"}},
		{"forward to itself", strings.Replace(kubeadm(""), "192.0.2.53", "127.0.0.1", 1), 14, "warning", []string{"this server itself"}},
		{"rewrite without answer", kubeadm("rewrite name suffix .example.org .shop.svc.cluster.local"), 6, "warning", []string{"did not ask for", "answer auto"}},
		{"rewrite with an expression", kubeadm(`rewrite name regex (.*)\.example\.org {1}.shop.svc.cluster.local`), 6, "warning", []string{"did not ask for", "answer auto"}},
		{"rewrite in the wrong block", kubeadm("") + "example.org:53 {\n errors\n forward . 192.0.2.53\n loop\n}\n" + "local:53 {\n errors\n rewrite name app.example.org web.local\n whoami\n}\n", 29, "warning", []string{"No question for app.example.org."}},
		{"rewrite of another block's name", kubeadm("rewrite name app.example.org web.shop.svc.cluster.local") + "example.org:53 {\n errors\n forward . 192.0.2.53\n loop\n}\n", 6, "warning", []string{"line 22", "its zone is longer"}},
		{"rewrite to another block's name", kubeadm("") + "example.org:53 {\n errors\n rewrite name app.example.org web.shop.svc.cluster.local\n forward . 192.0.2.53\n loop\n}\n", 24, "warning", []string{"own plugins", `kubernetes "cluster.local" in`}},
		{"stub zone behind the cluster", kubeadm("forward east.cluster.local 192.0.2.7"), 6, "warning", []string{"never asked", "server block of its own"}},
		{"a server block for a part of the cluster", kubeadm("") + "shop.svc.cluster.local:53 {\n errors\n forward . 192.0.2.7\n loop\n}\n", 22, "note", []string{"Questions for shop.svc.cluster.local. come to this server block, which does not have the cluster", "kubernetes in this server block too"}},
		{"a server block for the cluster's zone", kubeadm("") + "cluster.local {\n errors\n hosts\n}\n", 22, "warning", []string{"Questions for cluster.local. come to this server block"}},
		{"a stub zone at the usual address of a Service", kubeadm("") + "corp.example {\n errors\n forward corp.example 10.0.0.10\n}\n", 24, "note", []string{"10.0.0.10 is the usual address"}},
		{"zone of no block", "example.org:53 {\n errors\n kubernetes cluster.local\n}\n", 3, "warning", []string{"No question for cluster.local."}},
		{"fallthrough of everything", strings.Replace(kubeadm(""), "fallthrough in-addr.arpa ip6.arpa", "fallthrough", 1), 9, "warning", []string{"asked upstream", "fallthrough in-addr.arpa ip6.arpa"}},
		{"ttl of an hour", strings.Replace(kubeadm(""), "ttl 30", "ttl 3600", 1), 10, "warning", []string{"StatefulSet"}},
		{"denials kept on a node", "cluster.local:53 {\n errors\n cache {\n denial 9984 30 300\n }\n forward . 10.96.0.10\n}\n", 4, "warning", []string{"300 s at least", "StatefulSet"}},
		{"two forwards", strings.Replace(kubeadm(""), "    cache 30", "    forward . 192.0.2.54\n    cache 30", 1), 17, "warning", []string{"The forward in line 14 takes all questions", "never asked"}},
		{"a narrower forward behind", strings.Replace(kubeadm(""), "    cache 30", "    forward corp.example 192.0.2.54\n    cache 30", 1), 17, "warning", []string{`all questions for "corp.example"`}},
		{"grpc behind forward", strings.Replace(kubeadm(""), "    cache 30", "    grpc . 192.0.2.54\n    cache 30", 1), 17, "warning", []string{"this grpc is never asked"}},
		{"two templates", kubeadm("template IN A example.org {\n rcode NOERROR\n }\n template IN A a.example.org {\n rcode NXDOMAIN\n }"), 9, "warning", []string{"The template in line 6 takes all"}},
		{"reload twice", kubeadm("reload 10s"), 19, "warning", []string{"reload reads its first directive in a server block alone, which is in line 6"}},
		{"health twice", kubeadm("health :8081"), 3, "warning", []string{"health stands in this server block again", "line 6 counts"}},
		{"loadbalance twice", kubeadm("loadbalance weighted w.txt"), 6, "warning", []string{"line 20 counts"}},
		{"a private and a public upstream", strings.Replace(kubeadm(""), "192.0.2.53", "10.0.0.2 8.8.8.8:53", 1), 14, "warning", []string{"public resolver 8.8.8.8 and the private one 10.0.0.2", "by chance", "policy sequential"}},
		{"autopath beside a stub zone", strings.Replace(kubeadmWith("autopath @kubernetes", "pods verified"), "    loop\n", "", 1) + "corp.example {\n errors\n forward . 192.0.2.7\n}\n", 6, "warning", []string{`a name in "corp.example"`, "search names"}},
		{"debug", kubeadm("debug"), 6, "warning", []string{"panic", "log"}},
		{"no variable", kubeadm("nsid {$NO_SUCH_VARIABLE}"), 6, "warning", []string{"NO_SUCH_VARIABLE"}},
		{"property without effect", kubeadmWith("", "tls a b c"), 11, "warning", []string{"tls has no effect without endpoint"}},

		{"log of everything", kubeadm("log"), 6, "note", []string{"logging successful answers", "answers nothing"}},
		{"rewrite of EDNS", kubeadm("rewrite edns0 local set 0xffee abcd"), 6, "note", []string{"changes the EDNS options", "doc/fast-path.md"}},
		{"line of the sockets", kubeadm("rewrite name a.example.org b.example.org\n    rewrite name regex .* c.example.org answer auto"), 7, "note", []string{"matches all names"}},
		{"plugin of no row", kubeadm("dnstap tcp://127.0.0.1:6000"), 6, "note", []string{"the plugin dnstap stands ahead"}},
		{"proxy protocol", kubeadm("proxyproto"), 6, "note", []string{"is off", "client's address"}},
		{"view", kubeadm("view internal {\n expr incidr(client_ip(), '10.0.0.0/8')\n }"), 6, "note", []string{"more than the name"}},
		{"search beside rewrite", kubeadmWith("rewrite name a.example.org b.example.org", "search names"), 7, "note", []string{"search asks the whole server"}},
		{"pods insecure", kubeadmWith("", "pods insecure"), 8, "note", []string{"10-1-2-3", "pods verified"}},
		{"kubeadm and template", kubeadm("template IN A example.org {\n rcode NXDOMAIN\n }"), 6, "note", []string{"kubeadm does not know the plugin template"}},
		{"kubeadm and search", kubeadmWith("", "search names"), 8, "note", []string{"kubeadm does not know search in kubernetes", "doc/install.md"}},
		{"a stub zone at another port", kubeadm("") + "corp.example:5300 {\n errors\n forward . 192.0.2.7:5300\n}\n", 22, "note", []string{`at port 5300 and the cluster's at 53`, `no question for "corp.example"`}},
		{"no upstream", strings.Replace(kubeadm(""), "forward . 192.0.2.53 {\n       max_concurrent 1000\n    }", "", 1), 7, "note", []string{"Names outside the cluster get SERVFAIL"}},
		{"no loop", strings.Replace(kubeadm(""), "    loop\n", "", 1), 14, "note", []string{"goes round", "loop"}},
		{"no reverse zones", "." + strings.Replace(kubeadm(""), "cluster.local in-addr.arpa ip6.arpa", "cluster.local", 1)[1:], 7, "note", []string{"PTR"}},
		{"order of lines", strings.Replace(kubeadm(""), "    loop\n", "    hosts example.org {\n fallthrough\n }\n    loop\n", 1), 18, "note", []string{"hosts is asked before kubernetes"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := write(t, tc.corefile)
			r, code := check(t, path)
			if i := slices.IndexFunc(r.Findings, func(f finding) bool {
				return f.File == path && f.Line == tc.line && f.Severity == tc.severity && hasAll(f.What+" "+f.Instead, tc.words)
			}); i < 0 {
				t.Errorf("no %s in line %d has %q: %+v", tc.severity, tc.line, tc.words, r.Findings)
			}
			if want := map[string]int{"error": 1, "warning": 2, "note": 0}[tc.severity]; code != want {
				t.Errorf("exit code %d, want %d: %+v", code, want, r.Findings)
			}
			if n := r.Errors + r.Warnings; tc.severity != "note" && n != 1 {
				t.Errorf("%d errors and warnings, want one: %+v", n, r.Findings)
			}
		})
	}
}

// TestCharacters: what people paste, and what a keyboard or an editor makes of it. What CoreDNS reads as it is meant is fine.
func TestCharacters(t *testing.T) {
	for name, tc := range map[string]struct {
		line, says string
		starts     bool
	}{
		"typographic quotes":   {`chaos “my server”`, "“ (U+201C) is no \"", true},
		"an en dash":           {"forward corp–example.org 192.0.2.7", "– (U+2013) is no -", true},
		"a space of no width":  {"\u200bwhoami", "U+200B cannot be seen", false},
		"a soft hyphen":        {"bufsize\u00ad 1232", "U+00AD cannot be seen", false},
		"fullwidth brace":      {"hosts ｛\n }", "｛ (U+FF5B) is no {", false},
		"Windows-1252":         {"chaos \x93my server\x94", "byte 0x93 is no character in UTF-8", true},
		"no-break spaces":      {"bufsize\u00a01232", "", true},
		"tabs":                 {"\tbufsize\t1232\t", "", true},
		"typographic, in text": {"nsid \"the server “a”\" # don’t", "", true},
	} {
		for _, ends := range []string{"\n", "\r\n"} {
			r, _ := check(t, write(t, "\ufeff"+strings.ReplaceAll(kubeadm(tc.line), "\n", ends)))
			about := slices.IndexFunc(r.Findings, func(f finding) bool { return f.Rule == "characters" })
			if (r.Errors == 0) != tc.starts || (about >= 0) != (tc.says != "") || about >= 0 && (r.Findings[about].Line != 6 || !strings.Contains(r.Findings[about].What, tc.says)) {
				t.Errorf("%s: %+v", name, r.Findings)
			}
			if tc.says == "" && slices.ContainsFunc(r.Findings, func(f finding) bool { return f.Rule != "kubeadm" }) {
				t.Errorf("%s: %+v", name, r.Findings)
			}
		}
	}
}

func hasAll(text string, words []string) bool {
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
}

// A pipe whose first command has failed gives nothing.
func TestEmptyCorefile(t *testing.T) {
	for _, text := range []string{"", "# nothing\n"} {
		r, code := check(t, write(t, text))
		if code == 0 || r.Errors != 1 || r.Findings[0].Rule != "empty" {
			t.Errorf("%q: exit code %d, %+v", text, code, r)
		}
	}
}

// TestCleanCorefile: kubeadm's Corefile has nothing to mend, and a start needs nothing that is not there.
func TestCleanCorefile(t *testing.T) {
	r, code := check(t, write(t, kubeadm("")))
	if code != 0 || len(r.Findings) > 0 {
		t.Errorf("exit code %d, findings %+v", code, r.Findings)
	}
}

// TestOpensNothing: a port that is taken, and a Service that is not there, do not matter.
func TestOpensNothing(t *testing.T) {
	address := freeport.Addr(t)
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(address)
	corefile := strings.ReplaceAll(kubeadm("bind 127.0.0.1"), ":53 {", ":"+port+" {")
	corefile = strings.Replace(corefile, ":9153", address, 1)
	if r, code := check(t, write(t, corefile)); code != 0 {
		t.Errorf("exit code %d, findings %+v", code, r.Findings)
	}
}

// TestRepeated: what stands more than once and is used each time, or says the same, is fine.
func TestRepeated(t *testing.T) {
	for name, corefile := range map[string]string{
		"the narrower forward first": kubeadm("forward corp.example 192.0.2.54"),
		"forward with except":        strings.Replace(kubeadm("forward . 192.0.2.54 {\n  except corp.example\n }"), "forward . 192.0.2.53", "forward corp.example 192.0.2.53", 1),
		"forward with next":          kubeadm("forward . 192.0.2.54 {\n  next NXDOMAIN\n }"),
		"templates with expressions": kubeadm("template IN A example.org {\n match ^a\n fallthrough\n }\n template IN A example.org {\n match ^b\n fallthrough\n }"),
		"templates of two types":     kubeadm("template IN A example.org {\n rcode NOERROR\n }\n template IN AAAA example.org {\n rcode NOERROR\n }"),
		"a backup in turn":           strings.Replace(kubeadm(""), "192.0.2.53 {", "10.0.0.2 8.8.8.8 {\n policy sequential", 1),
		"two private upstreams":      strings.Replace(kubeadm(""), "192.0.2.53", "10.0.0.2 192.168.0.2", 1),
		"two public upstreams":       strings.Replace(kubeadm(""), "192.0.2.53", "1.1.1.1 8.8.8.8", 1),
		"a port that is asked":       kubeadm("forward corp.example 127.0.0.1:5300") + "corp.example:5300 {\n errors\n forward . 192.0.2.7\n}\n",
		"rewrite":                    kubeadm("rewrite name a.example.org b.example.org\n rewrite name c.example.org d.example.org"),
		"the same again":             kubeadm("reload\n loadbalance"),
	} {
		if r, _ := check(t, write(t, corefile)); r.Errors+r.Warnings > 0 {
			t.Errorf("%s: %+v", name, r.Findings)
		}
	}
}

// TestZoneTwice: a zone in two directives of file comes from the last one.
func TestZoneTwice(t *testing.T) {
	path := write(t, kubeadm("file a.db a.example\n file b.db b.example a.example"))
	for _, name := range []string{"a.db", "b.db"} {
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), name), []byte("@ 60 IN SOA ns. host. 1 2 3 4 60\n@ 60 IN NS ns.\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(filepath.Dir(path))
	r, _ := check(t, path)
	if i := slices.IndexFunc(r.Findings, func(f finding) bool {
		return f.Rule == "without-effect" && f.Line == 6 && strings.Contains(f.What, `the zone "a.example" in line 7 again`)
	}); i < 0 {
		t.Errorf("%+v", r.Findings)
	}
}

// inConfigMap is a ConfigMap as kubectl prints it, with a Corefile whose first line is line 4.
func inConfigMap(corefile string) string {
	return "apiVersion: v1\ndata:\n  Corefile: |\n    " + strings.TrimRight(strings.ReplaceAll(corefile, "\n", "\n    "), " ") + "kind: ConfigMap\nmetadata:\n  name: coredns\n  namespace: kube-system\n"
}

// TestConfigMap: the Corefile of a ConfigMap is judged, with the lines of what kubectl has printed.
func TestConfigMap(t *testing.T) {
	corefile := kubeadm("debug")
	quoted := "{apiVersion: v1, kind: ConfigMap, metadata: {name: coredns}, data: {Corefile: " + strconv.Quote(corefile) + "}}"
	list := "apiVersion: v1\nkind: List\nitems:\n- " + strings.TrimRight(strings.ReplaceAll(inConfigMap(corefile), "\n", "\n  "), " ")
	for _, tc := range []struct{ name, text, want string }{
		{"a Corefile", corefile, "Corefile:6: warning: A panic"},
		{"a ConfigMap", inConfigMap(corefile), "ConfigMap coredns:9: warning: A panic"},
		{"a list", list, "ConfigMap coredns:12: warning: A panic"},
		{"behind another document", "---\napiVersion: v1\nkind: Namespace\n---\n" + inConfigMap(corefile), "ConfigMap coredns:13: warning: A panic"},
		{"JSON", quoted, "Corefile in ConfigMap coredns:6: warning: A panic"},
		{"an error", inConfigMap(kubeadm("loop")), "ConfigMap coredns:21: error: CoreDNS does not start"},
	} {
		var out, errOut bytes.Buffer
		commands.Check([]string{"-"}, strings.NewReader(tc.text), &out, &errOut)
		if !strings.HasPrefix(out.String(), tc.want) {
			t.Errorf("%s: %q\n%s%s", tc.name, tc.want, out.String(), errOut.String())
		}
	}
	path := write(t, inConfigMap(corefile))
	if r, code := check(t, path); code != 2 || r.Findings[0].Line != 9 || r.Findings[0].File != path {
		t.Errorf("exit code %d, %+v", code, r.Findings)
	}
}

// TestNoConfigMap: other objects are refused in one line that says what to give.
func TestNoConfigMap(t *testing.T) {
	const expected = ": expected a Corefile, or one ConfigMap that has it: kubectl -n kube-system get configmap coredns -o yaml\n"
	for text, want := range map[string]string{
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: coredns}\n":                       "the standard input is no Corefile, but Deployment coredns without the key Corefile" + expected,
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: coredns-custom}\ndata: {a.server: x}\n": "the standard input is no Corefile, but ConfigMap coredns-custom without the key Corefile" + expected,
		"apiVersion: v1\nkind: List\nitems: []\n":                                                  "the standard input is no Corefile, but an empty list without the key Corefile" + expected,
		inConfigMap(kubeadm("")) + "---\n" + inConfigMap(kubeadm("")):                              "the standard input has 2 objects with the key Corefile" + expected,
	} {
		var out, errOut bytes.Buffer
		if code := commands.Check([]string{"-"}, strings.NewReader(text), &out, &errOut); code != 1 || errOut.String() != want {
			t.Errorf("exit code %d\n%s%s\nwant %s", code, out.String(), errOut.String(), want)
		}
	}
}

// TestService: the address of the own Service may be given.
func TestService(t *testing.T) {
	path := write(t, kubeadm(""))
	if r, code := check(t, path, "-service", "10.9.8.7,192.0.2.53"); code != 2 || !strings.Contains(r.Findings[0].What, "own Service") {
		t.Errorf("exit code %d, findings %+v", code, r.Findings)
	}
	if r, code := check(t, write(t, strings.Replace(kubeadm(""), "192.0.2.53", "10.96.0.10", 1)), "-service", "10.9.8.7"); code != 0 {
		t.Errorf("exit code %d, findings %+v", code, r.Findings)
	}
}

// TestResolvConf: a file that leads back is told, with what is in it now.
func TestResolvConf(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(conf, []byte("nameserver 127.0.0.1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, code := check(t, write(t, strings.Replace(kubeadm(""), "192.0.2.53", conf, 1)))
	if code != 0 || len(r.Findings) != 1 || !strings.Contains(r.Findings[0].What, "127.0.0.1 on this machine, which is this server itself") {
		t.Errorf("exit code %d, findings %+v", code, r.Findings)
	}
}

// TestImported: a finding in an imported file has its name and line.
func TestImported(t *testing.T) {
	path := write(t, kubeadm("import more.conf"))
	more := filepath.Join(filepath.Dir(path), "more.conf")
	if err := os.WriteFile(more, []byte("\ntemplate ANY AAAA {\n  rcode NXDOMAIN\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, _ := check(t, path)
	if !slices.ContainsFunc(r.Findings, func(f finding) bool { return f.File == more && f.Line == 3 && f.Rule == "template-nxdomain" }) {
		t.Errorf("findings %+v", r.Findings)
	}
}

// TestConnecting: what writes a file while it is set up is not set up, and the rest is checked all the same.
func TestConnecting(t *testing.T) {
	path := write(t, "tls://.:853 {\n errors\n tls cert.pem key.pem {\n  keylog keys.log\n }\n forward . 192.0.2.1 {\n  max_fails many\n }\n loop\n}\n")
	r, code := check(t, path)
	note := slices.ContainsFunc(r.Findings, func(f finding) bool { return f.Rule == "not-checked" && f.Line == 3 })
	if code != 1 || !note || r.Findings[len(r.Findings)-1].Line != 7 {
		t.Errorf("exit code %d, findings %+v", code, r.Findings)
	}
	if _, err := os.Stat("keys.log"); err == nil {
		t.Error("the file of keys was written")
	}
}

// TestText: the text has the same as the JSON, and the standard input may be the Corefile.
func TestText(t *testing.T) {
	var out, errOut bytes.Buffer
	code := commands.Check([]string{"-"}, strings.NewReader(kubeadm("debug")), &out, &errOut)
	const want = "Corefile:6: warning: A panic in any plugin ends the process, and questions are not logged. (debug)\n" +
		"    instead: log, to log questions; nothing, to keep the server alive.\n" +
		"Corefile:6: note: kubeadm does not know the plugin debug, and stops the preflight of an upgrade that changes the release of CoreDNS. (kubeadm)\n"
	if code != 2 || !strings.HasPrefix(out.String(), want) || !strings.HasSuffix(out.String(), "Corefile: 0 errors, 1 warning, 1 note\n") {
		t.Errorf("exit code %d\n%s%s", code, out.String(), errOut.String())
	}
}

// TestUsage: what cannot be checked is an error.
func TestUsage(t *testing.T) {
	for _, args := range [][]string{{}, {"a", "b"}, {"-o", "yaml", "a"}, {"-service", "x", "a"}, {"no-such-file"}, {"-x"}} {
		var out, errOut bytes.Buffer
		if code := commands.Check(args, strings.NewReader(""), &out, &errOut); code != 1 || errOut.Len() == 0 || out.Len() > 0 {
			t.Errorf("%q: exit code %d, %s%s", args, code, out.String(), errOut.String())
		}
	}
}
