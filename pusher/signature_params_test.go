package pusher_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pealhq/peal/pusher"
)

func TestParams(t *testing.T) {
	t.Parallel()
	r, err := pusher.ParseRequest("GET", "/", "auth_key=k&Name=a%2Bb+c&empty=&z[]=2&z[]=1&php[0]=x%2Cy&php[1]=&ro]=w&channels[]=%23&literal=a%")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"name": "a+b c", "empty": "", "literal": "a%", "ro]": "w"} {
		if got, sent := r.Param(name); got != want || !sent {
			t.Errorf("%s: %q, %v", name, got, sent)
		}
	}
	for _, name := range []string{"Name", "z", "php", "missing", ""} {
		if got, sent := r.Param(name); got != "" || sent {
			t.Errorf("%s: %q, %v", name, got, sent)
		}
	}
	for name, want := range map[string][]string{"z": {"2", "1"}, "php": {"x,y", ""}, "channels": {"#"}, "name": nil, "": nil} {
		if diff := cmp.Diff(want, slices.Collect(r.Array(name))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for range r.Array("z") {
		break // and nothing panics
	}
}

func TestFrameData(t *testing.T) {
	t.Parallel()
	for _, want := range []string{"", "plain", `{"a":"<&>"}`, "a\"b\\\n\u2028é😀"} {
		for _, frame := range [][]byte{
			pusher.EventFrame("e", "c", want), pusher.NewEvent("data", want).Frame("cache-data"), pusher.ClientEventFrame("e", "c", want, "user"),
		} {
			got, err := pusher.FrameData(frame)
			if err != nil || got.Kind() != pusher.KindString || got.Text() != want {
				t.Errorf("%s: %q, %v", frame, got.Text(), err)
			}
			if again := string(pusher.AppendString(nil, want)); again != got.JSON() {
				t.Errorf("%s, written again %s", got.JSON(), again)
			}
		}
	}
	if got, err := pusher.FrameData([]byte(`{"event":"e"}`)); err != nil || got.Kind() != pusher.KindAbsent {
		t.Errorf("no data: %v, %v", got, err)
	}
	if _, err := pusher.FrameData([]byte("{")); err == nil {
		t.Error("half a frame has data")
	}
}
