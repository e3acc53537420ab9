package transfer

import (
	"testing"
)

// crowded is one more endpoint than BIND accepts records of a name and type.
const crowded = 101

// P12: BIND refuses a whole zone if a name has more than a hundred records of a type,
// unless max-records-per-type allows more.
func TestP12BINDAndACrowd(t *testing.T) {
	refuses, takes := newBind(t), newBind(t)
	takes.option = "max-records-per-type 0;"
	p := newPrimary(t, refuses.port, takes.port)
	p.source = p.dir
	p.change(t)
	p.crowd(t, crowded)
	p.start(t)
	refuses.start(t, p.port)
	takes.start(t, p.port)
	takes.awaitZones(t, p.port)
	refuses.awaitLog(t, "transfer of 'cluster.local/IN'", "too many records")
	if z, err := pull(refuses.port, origin); err == nil {
		t.Errorf("BIND has a zone of %d records", len(z.records))
	}
}
