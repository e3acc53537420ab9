package clusterdns

import (
	"fmt"
	"strings"

	"github.com/coredns/caddy"

	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/socket"
)

// modeTable has the values of a property, which an environment variable may set for Corefiles that
// somebody else writes.
type modeTable[M any] struct {
	property, variable string
	usage              string
	values             map[string]M
}

// onOff returns the values of a property that lets the server answer a command.
func onOff(by socket.Permission) *modeTable[bool] {
	return &modeTable[bool]{
		property: by.Property, variable: by.Variable, usage: "[on|off]",
		values: map[string]bool{"": true, "on": true, "off": false},
	}
}

// parse returns the mode that the arguments of the property name.
func (m *modeTable[M]) parse(c *caddy.Controller, args []string) (M, error) {
	mode, ok := m.values[strings.Join(args, " ")]
	if !ok {
		return mode, corefile.WrongArguments(c, m.property, m.usage)
	}
	return mode, nil
}

// override sets the mode that the environment names, if it names one.
func (m *modeTable[M]) override(mode *M, environment func(string) string) error {
	value := strings.Join(strings.Fields(environment(m.variable)), " ")
	if value == "" {
		return nil
	}
	named, ok := m.values[value]
	if !ok {
		return fmt.Errorf("wrong value for the environment variable %s: expected %s, found %q", m.variable, m.usage, value)
	}
	*mode = named
	return nil
}

// setting is the value of a property with a modeTable.
type setting[M any] struct {
	mode M
	set  bool // set in the Corefile
}

func (s *setting[M]) parse(m *modeTable[M], c *caddy.Controller, args []string) (err error) {
	s.set = true
	s.mode, err = m.parse(c, args)
	return err
}

// from sets the mode from the environment, unless the Corefile sets it.
func (s *setting[M]) from(m *modeTable[M], environment func(string) string) error {
	if s.set {
		return nil
	}
	return m.override(&s.mode, environment)
}
