package patient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/doctor/api"
	"github.com/clusterdns/clusterdns/plugin/internal/doctor/scrape"
)

// between is the time between the two scrapes of a replica, of which the difference shows what happens now.
const between = 2 * time.Second

// scraped gets the metrics of a replica: in a Pod directly, else by way of the API server.
func (r *Replica) scraped(ctx context.Context, p *Patient) (*scrape.Metrics, error) {
	get := r.metricsDirectly
	if !p.API.InPod {
		get = func(ctx context.Context) ([]byte, error) { return r.metricsByProxy(ctx, p) }
	}
	body, err := get(ctx)
	if err != nil {
		return nil, api.Errorf("prometheus :9153 in the Corefile, and the right to get pods/proxy; or "+r.Exec(), "the metrics of Pod %s: %w", r.Name, err)
	}
	return scrape.Parse(body)
}

// direct reports whether the address of a replica leads to it from here too. Elsewhere another machine may have it,
// so its metrics there must be those of the same process.
func (r *Replica) direct(ctx context.Context, p *Patient) bool {
	if p.API.InPod {
		return true
	}
	const began = "process_start_time_seconds"
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	body, err := r.metricsDirectly(ctx)
	if err != nil {
		return false
	}
	here, err := scrape.Parse(body)
	if err != nil {
		return false
	}
	s, err := r.First()
	return err == nil && s.Sum(began) > 0 && s.Sum(began) == here.Sum(began)
}

// Exec returns the command that examines from within a replica.
func (r *Replica) Exec() string {
	return fmt.Sprintf("kubectl -n %s exec %s -- %s doctor", r.Namespace, r.Name, "/coredns")
}

func (r *Replica) metricsDirectly(ctx context.Context) ([]byte, error) {
	if !r.Addr.IsValid() {
		return nil, errors.New("the Pod has no address yet")
	}
	ctx, cancel := context.WithTimeout(ctx, api.RequestTime)
	defer cancel()
	url := "http://" + netip.AddrPortFrom(r.Addr, uint16(r.metrics)).String() + "/metrics"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy of the user's
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}
	return io.ReadAll(response.Body)
}

func (r *Replica) metricsByProxy(ctx context.Context, p *Patient) ([]byte, error) {
	body, err := p.API.Raw(ctx, fmt.Sprintf("/api/v1/namespaces/%s/pods/%s:%d/proxy/metrics", r.Namespace, r.Name, r.metrics), nil)
	return body, api.May("get pods/proxy in "+r.Namespace, err)
}

// Scrapes returns the metrics of all replicas that give them, and what is wrong with the others.
func (p *Patient) Scrapes(second bool) (all map[*Replica]*scrape.Metrics, err error) {
	replicas, err := p.Replicas()
	if err != nil {
		return nil, err
	}
	all = map[*Replica]*scrape.Metrics{}
	var last error
	for _, r := range replicas {
		get := r.First
		if second {
			get = r.Later
		}
		s, err := get()
		if err != nil {
			last = err
			continue
		}
		all[r] = s
	}
	if len(all) == 0 {
		return nil, last
	}
	return all, nil
}
