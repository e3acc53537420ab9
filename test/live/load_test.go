package live

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"
)

const (
	// pace is the time between two questions of a load.
	pace = 10 * time.Millisecond
	// mentions is the largest number of wrong answers that a test reports.
	mentions = 20
)

// load is a client that asks 100 times a second and checks every answer.
//
// For each question it has the sequence of answers. The first one is right. During a
// change, later ones are right too, but once a later answer has been seen, an earlier one
// is wrong.
type load struct {
	server    *server
	questions int    // number of different questions
	ended     func() // stops the load and waits for its end
	began     time.Time

	mu       sync.Mutex
	right    map[string][]string
	asked    int
	wrong    []string
	failures int
}

// load starts a load with all of these questions.
func (s *server) load(t *testing.T, all answers) *load {
	t.Helper()
	l := &load{server: s, questions: len(all), right: map[string][]string{}, began: time.Now()}
	for question, answer := range all {
		l.right[question] = []string{answer}
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		l.run(slices.Sorted(maps.Keys(all)), stop)
	}()
	l.ended = sync.OnceFunc(func() {
		close(stop)
		<-done
	})
	t.Cleanup(l.ended)
	return l
}

func (l *load) run(questions []string, stop <-chan struct{}) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		case <-tick.C:
			l.ask(questions[i%len(questions)])
		}
	}
}

func (l *load) ask(question string) {
	before := l.expected(question)
	got := l.server.ask(question)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	if i := slices.Index(l.right[question], got); i >= 0 {
		l.right[question] = l.right[question][i:]
		return
	}
	if slices.Contains(before, got) {
		return // it was right at the time of the question
	}
	l.failures++
	if len(l.wrong) < mentions {
		l.wrong = append(l.wrong, fmt.Sprintf("%6.3fs %s: %s, want %q", time.Since(l.began).Seconds(), question, got, l.right[question]))
	}
}

func (l *load) expected(question string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.right[question])
}

// may adds the next right answers. A question whose answer does not change may be left out.
func (l *load) may(next answers) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for question, answer := range next {
		if all := l.right[question]; all[len(all)-1] != answer {
			l.right[question] = append(all, answer)
		}
	}
}

// settle waits until each answer is the last of the right ones, and then accepts no other.
func (l *load) settle(t *testing.T) {
	t.Helper()
	last := answers{}
	l.mu.Lock()
	for question, all := range l.right {
		last[question] = all[len(all)-1]
	}
	l.mu.Unlock()
	l.server.await(t, last)
	l.mu.Lock()
	defer l.mu.Unlock()
	for question, answer := range last {
		l.right[question] = []string{answer}
	}
}

// awaitQuestions waits until some more questions have been asked.
func (l *load) awaitQuestions(t *testing.T, questions int) {
	t.Helper()
	until := l.count() + questions
	eventually(t, func() error {
		if n := l.count(); n < until {
			return fmt.Errorf("asked %d questions, want %d", n, until)
		}
		return nil
	})
}

func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked
}

// finish asks all questions once more, ends the load and reports the result.
func (l *load) finish(t *testing.T) {
	t.Helper()
	l.awaitQuestions(t, 2*l.questions)
	l.ended()
	took := time.Since(l.began).Seconds()
	t.Logf("%d questions in %.1f s (%.0f a second), %d wrong answers", l.asked, took, float64(l.asked)/took, l.failures)
	for _, line := range l.wrong {
		t.Error(line)
	}
}
