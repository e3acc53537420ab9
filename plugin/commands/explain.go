package commands

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/coredns/coredns/plugin/pkg/dnsutil"
	"github.com/miekg/dns"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/clusterdns/clusterdns/plugin/internal/explain"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/resolvconf"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/socket"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/spelling"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/apiserver"
)

const explainUsage = `usage: coredns explain [-kubeconfig FILE] [-context NAME] [-conf COREFILE] [-from NAMESPACE[/POD]] [-type TYPE] [-o text|json] NAME

Says how a Pod's resolver looks NAME up, what each question is answered, and why.
In the Pod of a server that runs with CLUSTERDNS_EXPLAIN=on, or with explain in its Corefile, it asks that server.
Elsewhere it reads the Corefile and the objects of the cluster of the kubeconfig, with your rights.
With -conf it asks nobody: the Corefile must have the property manifests, and the objects are those of its files.
With -conf and -kubeconfig or -context, the Corefile is that of the file, and the objects are those of the cluster.
Exits with 0 if NAME is answered, 3 if it does not exist, 4 if that cannot be told, 1 if nothing can be said.

`

// Explain is the command coredns explain. It returns the exit code.
func Explain(args []string, in io.Reader, out, errOut io.Writer) int {
	c := newCall("explain", explainUsage, out, errOut)
	conf := c.String("conf", "", "the Corefile, or - for the standard input")
	kube := kubeconfigFlags(c.FlagSet)
	configMap := c.String("configmap", "kube-system/coredns", "the ConfigMap of the cluster that has the Corefile")
	domain := c.String("cluster-domain", "", "the cluster domain that kubelet writes; without, the ConfigMap kubelet-config or the Corefile says it")
	nameservers := c.String("cluster-dns", "", "the nameservers that kubelet writes, separated by commas; without, those of kubelet-config or of the Service kube-dns")
	process := c.Int("server", 0, "the process number of the server that is asked, where several run")
	from := c.String("from", "default", "the Namespace that asks, and its Pod")
	qtype := c.String("type", "", "the type that is asked for; A and AAAA without")
	libc := c.String("libc", string(explain.Glibc), "how the Pod's C library asks: as glibc (Debian, Ubuntu, Red Hat) or as musl (Alpine)")
	node := c.String("node-search", "", "the search path of the node, separated by commas")
	var types []uint16
	names, code, done := c.arguments(args, func(others []string) (err error) {
		if types, err = typesOf(*qtype); err == nil && *libc != string(explain.Glibc) && *libc != string(explain.Musl) {
			err = fmt.Errorf("-libc %s: expected glibc or musl", *libc)
		}
		return cmp.Or(one("NAME")(others), err, validFrom(*from))
	})
	if done {
		return code
	}
	name, err := spelling.Read(names[0])
	if err != nil {
		return c.fail(exitUsage, err)
	}
	o := explain.Options{Name: name.Text, Libc: explain.Libc(*libc), Types: types}
	if name.Reverse || *qtype == "" && dnsutil.ExtractAddressFromReverse(dns.Fqdn(name.Text)) != "" {
		o.Types = []uint16{dns.TypePTR}
	}
	o.Namespace, o.Pod, _ = strings.Cut(*from, "/")
	o.NodeSearch, o.Domain, o.Nameservers = listed(*node), *domain, listed(*nameservers)
	by := source{conf: *conf, kube: kube, configMap: *configMap, process: *process}
	result, err := by.explain(o, in)
	if err != nil {
		return c.fail(exitOf(err), err)
	}
	result.Notes = slices.Concat(name.Notes, result.Notes)
	if err := printResult(out, *c.format, result); err != nil {
		return c.fail(exitUsage, err)
	}
	return result.Exit
}

// exitOf returns the exit code for an error.
func exitOf(err error) int {
	var absent explain.AbsentError
	var unasked apiserver.UnaskedError
	if errors.As(err, &absent) || errors.As(err, &unasked) {
		return explain.ExitUndecided
	}
	return exitUsage
}

// validFrom returns what keeps a text from being a Namespace, or a Namespace and a Pod.
func validFrom(text string) error {
	namespace, pod, is := strings.Cut(text, "/")
	if len(validation.IsDNS1123Label(namespace)) > 0 || is && pod != "" && len(validation.IsDNS1123Subdomain(pod)) > 0 {
		return fmt.Errorf("-from %q: expected NAMESPACE or NAMESPACE/POD, as kubectl writes their names", text)
	}
	return nil
}

// typesOf returns the types that are asked for.
func typesOf(text string) ([]uint16, error) {
	if text == "" {
		return []uint16{dns.TypeA, dns.TypeAAAA}, nil
	}
	qtype, ok := dns.StringToType[strings.ToUpper(text)]
	if !ok {
		return nil, fmt.Errorf("-type %s: expected a type of records, such as A, AAAA, SRV or PTR", text)
	}
	return []uint16{qtype}, nil
}

func listed(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
}

// source is what a command asks.
type source struct {
	conf      string
	kube      kubeconfig
	configMap string
	process   int
}

// explain asks what the flags name: without any the server that runs here, or else the cluster of the kubeconfig.
func (s source) explain(o explain.Options, in io.Reader) (_ *explain.Result, err error) {
	if s.conf != "" {
		if o.Path, o.Corefile, err = readCorefile(s.conf, in); err != nil {
			return nil, err
		}
	}
	switch {
	case s.kube.given():
		return s.explainCluster(o)
	case s.conf != "":
		return explain.Explain(context.Background(), o)
	}
	if o.Asker, err = findAsker(o); err != nil {
		return nil, err
	}
	result, err := explain.Ask(context.Background(), s.process, o)
	if s.process != 0 || !errors.Is(err, explain.ErrNoServer) {
		return result, turnedOff(err, socket.Explain)
	}
	result, err = s.explainCluster(o)
	if errors.Is(err, apiserver.ErrNoKubeconfig) {
		return nil, errNothingToAsk
	}
	return result, err
}

// askerPatience is how long a command looks for the Pod that asks. A server is asked without, as in an outage of the API
// server.
const askerPatience = 2 * time.Second

// findAsker finds out how the Pod asks, with the rights of the Pod of the server. It returns nil where that cannot be told,
// and an error if there is no such Pod.
func findAsker(o explain.Options) (*resolvconf.Pod, error) {
	if o.Pod == "" {
		return nil, nil
	}
	client, err := apiserver.NewPodClient()
	if err != nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), askerPatience)
	defer cancel()
	asker, err := explain.FindAsker(ctx, client, o)
	if errors.As(err, new(explain.AbsentError)) {
		return nil, err
	}
	return asker, nil
}

// errNothingToAsk is the error where neither a server nor a cluster nor files can be asked.
var errNothingToAsk = fmt.Errorf(`there is nothing to ask:
%w
there is no kubeconfig. Expected one in the flag -kubeconfig, the variable KUBECONFIG or ~/.kube/config
there is no flag -conf. It takes a Corefile with the property manifests, and needs no cluster`, turnedOff(explain.ErrNoServer, socket.Explain))

func (s source) explainCluster(o explain.Options) (*explain.Result, error) {
	client, err := apiserver.NewUserClient(*s.kube.file, *s.kube.context)
	if err != nil {
		return nil, err
	}
	namespace, name, is := strings.Cut(s.configMap, "/")
	if !is {
		namespace, name = "kube-system", s.configMap
	}
	return explain.Cluster{Reader: client, Namespace: namespace, ConfigMap: name}.Explain(context.Background(), o)
}

func printResult(out io.Writer, format string, r *explain.Result) error {
	if format == "json" {
		return printJSON(out, r, indent)
	}
	if r.Data != nil {
		fmt.Fprintf(out, "data         %s\n", r.Data)
	}
	fmt.Fprintf(out, "resolv.conf  %s\n", r.ResolvConf.String())
	for _, what := range r.Unseen {
		fmt.Fprintf(out, "not seen     %s\n", what)
	}
	for i := range r.Questions {
		printQuestion(out, &r.Questions[i])
	}
	for _, note := range r.Notes {
		fmt.Fprintf(out, "note: %s\n", note)
	}
	_, err := fmt.Fprintf(out, "cause: %s\n", r.Cause)
	if r.Remedy != "" {
		_, err = fmt.Fprintf(out, "remedy: %s\n", r.Remedy)
	}
	return err
}

func printQuestion(out io.Writer, q *explain.Question) {
	decides := ""
	if q.Decides {
		decides = "  <- decides"
	}
	fmt.Fprintf(out, "%d %s%s\n", q.Number, q.Name, decides)
	for _, r := range q.Replies {
		fmt.Fprintf(out, "    %-5s %s", r.Type, r.Rcode)
		if r.Plugin != "" {
			fmt.Fprintf(out, "  by %s", r.Plugin)
		}
		if r.Keep > 0 {
			fmt.Fprintf(out, "  kept for %d s", r.Keep)
		}
		fmt.Fprintln(out)
		for _, record := range r.Records {
			fmt.Fprintf(out, "          %s\n", record)
		}
	}
	for _, fact := range q.Cause.Facts {
		fmt.Fprintf(out, "    %s\n", fact)
	}
	fmt.Fprintf(out, "    => %s\n", q.Cause.Text)
}
