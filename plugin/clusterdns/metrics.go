package clusterdns

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterdns/clusterdns/plugin/internal/metrics"
)

// collectors are the metrics of the process: an instance comes and goes with every
// reload, and its counters must not.
var collectors = metrics.New(prometheus.DefaultRegisterer, watchers.Snapshots)
