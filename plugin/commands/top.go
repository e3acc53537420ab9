package commands

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/explain/socket"
	"github.com/clusterdns/clusterdns/plugin/internal/top"
)

const topUsage = `usage: coredns top [-by namespace|client|name|rcode] [-n TIMES] [-every DURATION] [-server PROCESS] [-o text|json]

Says who asks the server in this Pod what, now: in the last ten to twenty seconds. The server must run with
CLUSTERDNS_TOP=on, or with top in its Corefile. Goes on until it is interrupted, or TIMES times.
Exits with 1 if the server does not tell.

`

// topOptions say what is printed, and how.
type topOptions struct {
	by, format string
	times      int // 0 for no end
	every      time.Duration
	process    int
	clear      bool // the screen, before each table
}

// Top is the command coredns top. It returns the exit code.
func Top(args []string, out, errOut io.Writer) int {
	o := topOptions{clear: isTerminal(out)}
	c := newCall("top", topUsage, out, errOut)
	c.StringVar(&o.by, "by", top.ByNamespace, "what the table is of: namespace, client, name or rcode")
	c.IntVar(&o.times, "n", 0, "how often to print; 0 for no end")
	c.DurationVar(&o.every, "every", 2*time.Second, "the time between two tables")
	c.IntVar(&o.process, "server", 0, "the process number of the server that is asked, where several run")
	if _, code, done := c.arguments(args, func(others []string) error { return cmp.Or(none(others), o.valid()) }); done {
		return code
	}
	o.format = *c.format
	ticker := time.NewTicker(o.every)
	defer ticker.Stop()
	if err := o.run(o.ask, ticker.C, out); err != nil {
		return c.fail(exitUsage, err)
	}
	return 0
}

// valid returns what is wrong with the flags, if anything is.
func (o *topOptions) valid() error {
	switch {
	case !top.IsList(o.by):
		return fmt.Errorf("-by %s: expected namespace, client, name or rcode", o.by)
	case o.times < 0:
		return fmt.Errorf("-n %d: expected a number of tables, or 0 for no end", o.times)
	case o.every <= 0:
		return fmt.Errorf("-every %v: expected a time such as 2s", o.every)
	}
	return nil
}

// ask asks the server in this Pod.
func (o *topOptions) ask() (*top.Report, error) {
	answer, err := socket.Ask(context.Background(), o.process, []byte(top.Question))
	if err != nil {
		return nil, turnedOff(err, socket.Top)
	}
	return top.Read(answer)
}

// isTerminal reports whether a table can take the place of the one before.
func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// run prints a report at once, and one each time that the channel says so, until it has printed enough, or cannot.
func (o *topOptions) run(ask func() (*top.Report, error), next <-chan time.Time, out io.Writer) error {
	for i := 0; o.times == 0 || i < o.times; i++ {
		if i > 0 {
			<-next
		}
		report, err := ask()
		if err != nil {
			return err
		}
		if err := o.print(report.List(o.by), out); err != nil {
			return err
		}
	}
	return nil
}

func (o *topOptions) print(l top.List, out io.Writer) error {
	if o.format == "json" {
		return printJSON(out, l, "") // a line for each time
	}
	var text strings.Builder
	if o.clear {
		text.WriteString("\x1b[H\x1b[2J") // to the corner, and nothing on the screen (ECMA-48)
	}
	writeList(&text, &l)
	_, err := io.WriteString(out, text.String())
	return err
}

const (
	// topRows is the largest number of rows of a table.
	topRows = 20
	// topWidth is the largest number of characters of an item.
	topWidth = 80
)

func writeList(text *strings.Builder, l *top.List) {
	fmt.Fprintf(text, "%d questions in %.0f s, %.1f a second", l.Questions, l.Seconds, l.PerSecond)
	if l.OneIn > 1 {
		fmt.Fprintf(text, ", estimated from %d", l.Counted)
	}
	fmt.Fprintln(text)
	if l.Instead != "" {
		fmt.Fprintf(text, "by %s: %s\n", l.By, l.Instead)
	}
	table := tabwriter.NewWriter(text, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "A SECOND\tAT LEAST\tSHARE\t  %s\n", strings.ToUpper(l.By))
	for _, r := range l.Rows[:min(topRows, len(l.Rows))] {
		item := shortened(r.Item)
		if r.Namespace != "" {
			item += "  (" + r.Namespace + ")"
		}
		fmt.Fprintf(table, "%.1f\t%.1f\t%.1f %%\t  %s\n", r.PerSecond, r.AtLeast, 100*r.Share, item)
	}
	_ = table.Flush() // a strings.Builder takes all
	if n := len(l.Rows) - topRows; n > 0 {
		fmt.Fprintf(text, "and %d more\n", n)
	}
}

// shortened returns an item without what does not fit into a line.
func shortened(item string) string {
	if len(item) <= topWidth {
		return item
	}
	return item[:topWidth-1] + "…"
}
