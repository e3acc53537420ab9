package node

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Settings are what varies between labs.
type Settings struct {
	// Nodes is how many nodes there are: one, or two that a cable connects.
	Nodes int
	// Proxy is the mode of kube-proxy.
	Proxy string
	// CNI has the plugin of each node that makes the networks of Pods. The last one is that
	// of all further nodes.
	CNI []string
}

// DefaultSettings returns the settings of a lab that asks for no others.
func DefaultSettings() Settings {
	return Settings{Nodes: 1, Proxy: "nftables", CNI: []string{"bridge", "ptp"}}
}

// Check returns an error if there is no lab with these settings.
func (s Settings) Check() error {
	proxies, plugins := []string{"nftables", "iptables"}, []string{"bridge", "ptp"}
	switch {
	case s.Nodes < 1 || s.Nodes > 2:
		return fmt.Errorf("%d nodes: expected 1 or 2", s.Nodes)
	case !slices.Contains(proxies, s.Proxy):
		return fmt.Errorf("kube-proxy in mode %q: expected one of %q", s.Proxy, proxies)
	case len(s.CNI) == 0:
		return fmt.Errorf("no CNI plugin: expected some of %q", plugins)
	}
	for _, plugin := range s.CNI {
		if !slices.Contains(plugins, plugin) {
			return fmt.Errorf("CNI plugin %q: expected one of %q", plugin, plugins)
		}
	}
	return nil
}

// String returns the settings as an argument that ParseSettings reads.
func (s Settings) String() string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // numbers and texts only
	}
	return string(text)
}

// ParseSettings reads what String has written.
func ParseSettings(text string) (s Settings, err error) {
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return Settings{}, fmt.Errorf("settings %q: %w", text, err)
	}
	return s, s.Check()
}

func (s Settings) plugin(number int) string { return s.CNI[min(number, len(s.CNI))-1] }
