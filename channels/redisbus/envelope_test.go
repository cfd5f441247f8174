package redisbus

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/pealhq/peal/channels"
)

func TestEnvelope(t *testing.T) {
	t.Parallel()
	now := time.UnixMicro(1_700_000_000_000_001)
	for name, m := range map[string]channels.Message{
		"nothing":   {},
		"a frame":   {Frame: []byte("{}\x00\xff")},
		"all":       {Frame: []byte("frame"), Except: "123.456", Offset: 1<<53 - 1},
		"terminate": {Terminate: true, Except: string(bytes.Repeat([]byte("x"), 300))},
	} {
		l, err := open(string(seal(&m, now)))
		if err != nil || l.skipped != 0 || !l.sent.Equal(now) || !bytes.Equal(l.Frame, m.Frame) || l.Except != m.Except ||
			l.Offset != m.Offset || l.Terminate != m.Terminate {
			t.Errorf("%s: %+v became %+v, %v", name, m, l, err)
		}
	}
}

// TestEnvelopeBytes keeps the form that other versions read. Whoever changes it changes the version.
func TestEnvelopeBytes(t *testing.T) {
	t.Parallel()
	m := channels.Message{Frame: []byte("hi"), Except: "1.2", Offset: 258, Terminate: true}
	const want = "01" + "0000000000000102" + "00060a24181e4001" + "01" + "0103312e32" + "00" + "6869"
	if got := hex.EncodeToString(seal(&m, time.UnixMicro(1_700_000_000_000_001))); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestEnvelopeInALog keeps the field that scripts put into the envelope. Whoever does not know it finds the rest where it was.
func TestEnvelopeInALog(t *testing.T) {
	t.Parallel()
	a := run(t, newBus(t, nil))
	listener := a.client.SSubscribe(t.Context(), a.names.wire(news))
	defer func() { _ = listener.Close() }()
	if _, err := listener.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	m := channels.Message{Topic: news, Frame: []byte("hi"), Except: "1.2", Log: longLog}
	if err := a.Publish(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got, err := listener.ReceiveMessage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l, err := open(got.Payload)
	if err != nil || l.skipped != 0 || string(l.Frame) != "hi" || l.Except != "1.2" || l.Position.Offset != 1 ||
		time.Since(time.UnixMilli(int64(l.stamp))).Abs() > time.Minute {
		t.Errorf("%+v, %v", l, err)
	}
	field := "0220" + "0000000000000001" + fmt.Sprintf("%016x", l.stamp) + hex.EncodeToString([]byte(l.Position.Epoch))
	if want := field + "0103312e32" + "00" + "6869"; hex.EncodeToString([]byte(got.Payload[headLength:])) != want {
		t.Errorf("got  %x\nwant %s", got.Payload[headLength:], want)
	}
}

func TestEnvelopesOfOthers(t *testing.T) {
	t.Parallel()
	ours := string(seal(&channels.Message{Frame: []byte("frame"), Except: "1.2"}, time.Now()))
	head, rest := ours[:headLength], ours[headLength:]
	for name, c := range map[string]struct {
		envelope string
		skipped  int
		err      error
	}{
		"a field that we do not know": {head + "\x07\x03abc" + rest, 1, nil},
		"a flag that we do not know":  {head[:flagsAt] + "\x80" + rest, 1, nil},
		"a version of the future":     {"\x02" + ours[1:], 0, errVersion},
		"nothing":                     {"", 0, errEnvelope},
		"half a head":                 {ours[:10], 0, errEnvelope},
		"no end of the fields":        {head, 0, errEnvelope},
		"a field that is too long":    {head + "\x07\x7fabc", 0, errEnvelope},
		"a length that is no number":  {head + "\x07\xff", 0, errEnvelope},
	} {
		l, err := open(c.envelope)
		if !errors.Is(err, c.err) || (err == nil && (l.skipped != c.skipped || string(l.Frame) != "frame" || l.Except != "1.2")) {
			t.Errorf("%s: %+v, %v", name, l, err)
		}
	}
}

// TestStrangersOnTheBus publishes what another version, or somebody else, may publish.
func TestStrangersOnTheBus(t *testing.T) {
	t.Parallel()
	a := run(t, newBus(t, nil))
	a.subscribe(news)
	ours := seal(&channels.Message{Frame: []byte("hello")}, time.Now())
	for _, envelope := range []string{"\x02" + string(ours[1:]), "junk", "", string(ours)} {
		if err := a.client.SPublish(t.Context(), a.names.wire(news), envelope).Err(); err != nil {
			t.Fatal(err)
		}
	}
	a.hears(news, "hello")
	if v, f := count(a.metrics.unreadable.WithLabelValues("version")), count(a.metrics.unreadable.WithLabelValues("form")); v != 2 || f != 1 {
		t.Errorf("%d of an unknown version and %d of no form were counted", v, f)
	}
}

func FuzzEnvelope(f *testing.F) {
	f.Add(string(seal(&channels.Message{Frame: []byte("frame"), Except: "1.2"}, time.Now())))
	f.Add("\x01")
	f.Fuzz(func(t *testing.T, e string) {
		l, err := open(e)
		if err != nil || l.skipped > 0 {
			return
		}
		again, err := open(string(seal(&l.Message, l.sent)))
		if err != nil || !bytes.Equal(again.Frame, l.Frame) || again.Except != l.Except || again.Terminate != l.Terminate {
			t.Errorf("%+v became %+v, %v", l, again, err)
		}
	})
}
