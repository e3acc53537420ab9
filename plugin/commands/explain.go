package commands

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/explain"
)

const explainUsage = `usage: coredns explain [-conf COREFILE] [-server PROCESS] [-from NAMESPACE[/POD]] [-type TYPE] [-libc glibc|musl] [-node-search SUFFIX,...] [-o text|json] NAME

Says how a Pod's resolver looks NAME up, what each question is answered, and why.
In the Pod of a server that runs with CLUSTERDNS_EXPLAIN=on, or with explain in its Corefile, it asks that server.
With -conf it asks nobody: the Corefile must have the property manifests, and the objects are those of its files.
Exits with 0 if NAME is answered, 3 if it does not exist, 4 if that cannot be told, 1 if nothing can be said.

`

// Explain is the command coredns explain. It returns the exit code.
func Explain(args []string, in io.Reader, out, errOut io.Writer) int {
	flags := newFlags("explain", explainUsage, errOut)
	conf := flags.String("conf", "", "the Corefile, or - for the standard input")
	process := flags.Int("server", 0, "the process number of the server that is asked, where several run")
	from := flags.String("from", "default", "the Namespace that asks, and its Pod")
	qtype := flags.String("type", "", "the type that is asked for; A and AAAA without")
	libc := flags.String("libc", string(explain.Glibc), "whose ways: glibc or musl")
	node := flags.String("node-search", "", "the search path of the node, separated by commas")
	format := flags.String("o", "text", "how to print: text or json")
	names, err := parseFlags(flags, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 1
	case len(names) != 1 || *format != "text" && *format != "json" || *libc != string(explain.Glibc) && *libc != string(explain.Musl):
		flags.Usage()
		return 1
	}
	o := explain.Options{Name: names[0], Libc: explain.Libc(*libc), Types: []uint16{dns.TypeA, dns.TypeAAAA}}
	o.Namespace, o.Pod, _ = strings.Cut(*from, "/")
	o.NodeSearch = strings.FieldsFunc(*node, func(r rune) bool { return r == ',' })
	if *qtype != "" {
		t, ok := dns.StringToType[strings.ToUpper(*qtype)]
		if !ok {
			fmt.Fprintf(errOut, "-type: %s is no type\n", *qtype)
			return 1
		}
		o.Types = []uint16{t}
	}
	result, err := explainBy(o, *conf, *process, in)
	if err != nil {
		fmt.Fprintln(errOut, err)
		return 1
	}
	if err := printResult(out, *format, result); err != nil {
		fmt.Fprintln(errOut, err)
		return 1
	}
	return result.Exit
}

// explainBy asks a Corefile with manifests, or else the server that runs here.
func explainBy(o explain.Options, conf string, process int, in io.Reader) (_ *explain.Result, err error) {
	if conf == "" {
		return explain.Ask(context.Background(), process, o)
	}
	if o.Path, o.Corefile, err = readCorefile(conf, in); err != nil {
		return nil, err
	}
	return explain.Explain(context.Background(), o)
}

func printResult(out io.Writer, format string, r *explain.Result) error {
	if format == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(r)
	}
	if r.Data != nil {
		fmt.Fprintf(out, "data         %s\n", r.Data)
	}
	fmt.Fprintf(out, "resolv.conf  %s\n", r.ResolvConf.String())
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
