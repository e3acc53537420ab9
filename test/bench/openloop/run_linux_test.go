package openloop

import (
	"errors"
	"net"
	"slices"
	"testing"
	"time"
)

// answerSome answers all but every nth question, by turning it into a response.
func answerSome(t *testing.T, n int) string {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	// While this server waits for a CPU, all late questions arrive at once.
	if err := conn.(*net.UDPConn).SetReadBuffer(bufferSize); err != nil {
		t.Fatal(err)
	}
	go func() {
		buffer := make([]byte, 512)
		for i := 1; ; i++ {
			size, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			if n == 0 || i%n != 0 {
				buffer[2] |= 0x80
				send(t, conn, buffer[:size], from)
				send(t, conn, buffer[:size], from) // a copy must not be counted
			}
		}
	}()
	return conn.LocalAddr().String()
}

func send(t *testing.T, conn net.PacketConn, message []byte, to net.Addr) {
	// The run may end before the copy of its last answer is sent.
	if _, err := conn.WriteTo(message, to); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

func TestEveryQuestionIsAccountedFor(t *testing.T) {
	for name, leaveOut := range map[string]int{"all answered": 0, "every tenth unanswered": 10} {
		t.Run(name, func(t *testing.T) {
			questions := [][]byte{make([]byte, 12), make([]byte, 17)}
			got, err := Run(t.Context(), Load{
				Server: answerSome(t, leaveOut), Questions: questions, Rate: 2000, Time: 200 * time.Millisecond, Seed: 1,
			})
			if err != nil {
				t.Fatal(err)
			}
			unanswered := 0
			if leaveOut > 0 {
				unanswered = got.Sent / leaveOut
			}
			if got.Unanswered != unanswered || len(got.Times) != got.Sent || len(got.Late) != got.Sent {
				t.Errorf("%d sent, %d unanswered, want %d; %d times, %d late", got.Sent, got.Unanswered, unanswered, len(got.Times), len(got.Late))
			}
			if !slices.IsSorted(got.Times) || got.Times[0] <= 0 {
				t.Error("the times are not in order, or none")
			}
			if unanswered > 0 && got.Times[len(got.Times)-1] != Patience {
				t.Errorf("a question without an answer took %s, want %s", got.Times[len(got.Times)-1], Patience)
			}
		})
	}
}

func TestSchedule(t *testing.T) {
	l := Load{Rate: 1000, Time: 10 * time.Second, Seed: 7}
	due := schedule(l)
	if n := len(due); n < 9500 || n > 10500 || !slices.IsSorted(due) || due[n-1] >= int64(l.Time) {
		t.Errorf("%d questions in ten seconds at 1000 a second", n)
	}
	if !slices.Equal(due, schedule(l)) {
		t.Error("one seed gives two schedules")
	}
}

func TestBadLoads(t *testing.T) {
	question := [][]byte{make([]byte, 12)}
	for name, l := range map[string]Load{
		"no address":   {Server: "nowhere", Questions: question, Rate: 1, Time: time.Second},
		"no questions": {Server: "127.0.0.1:9", Rate: 1, Time: time.Second},
		"no time":      {Server: "127.0.0.1:9", Questions: question, Rate: 1},
	} {
		if _, err := Run(t.Context(), l); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
