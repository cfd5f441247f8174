package pusher_test

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pealhq/peal/pusher"
)

// The worked examples of the protocol, computed by independent tools.
const (
	demoKey    = "278d425bdf160c739803"
	demoSecret = "7ad3773142a6692b25b8"
	demoTime   = 1353088179
	demoAuth   = "auth_key=" + demoKey + "&auth_timestamp=1353088179&auth_version=1.0"
)

func verify(method, path, query, secret, body string) error {
	r, err := pusher.ParseRequest(method, path, query)
	if err != nil {
		return err
	}
	if err := r.CheckTime(time.Unix(demoTime, 0)); err != nil {
		return err
	}
	return r.Verify(secret, []byte(body))
}

func hmacHex(text string) string {
	mac := hmac.New(sha256.New, []byte(demoSecret))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

func md5Hex(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

func sha256Hex(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestWorkedSignatures(t *testing.T) {
	t.Parallel()
	const event = `{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}`
	const batch = `{"batch":[{"channel":"my-channel","name":"ev","data":"{\"a\":1}"},{"channel":"presence-x","name":"ev","data":"hi","info":"user_count"}]}`
	for _, c := range []struct{ name, method, path, query, body, signature string }{
		{"publish", "POST", "/apps/3/events", "&body_md5=ec365a775a4cd0599faeb73354201b6f", event, "da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c"},
		{"batch", "POST", "/apps/3/batch_events", "&body_md5=13c7060be68798b195566e5c00953827", batch, "e99e9fccfb9316cfa0128dc5b1dee784f758d2096c99231db3ed648e29f8d5ff"},
		{"query", "GET", "/apps/3/channels", "&filter_by_prefix=presence-&info=user_count", "", "16819168891cb5dfd72b5c7a5d3d602605b26c6ba1930033b5e2eeeb65010291"},
		{"query as Python sends it", "GET", "/apps/3/channels", "&body_md5=d41d8cd98f00b204e9800998ecf8427e&filter_by_prefix=presence-&info=user_count", "", "f3f17c61ae491cc9085db68b22076e9b772e3bcb301659d655153ee3f9782aba"},
		{"terminate", "POST", "/apps/3/users/12345/terminate_connections", "&body_md5=99914b932bd37a50b983c5e7c90ae93b", "{}", "01fa634edeb0cae84115307cad5c23f65a46cd286461b1c89637a3b5871a8f0e"},
		{"terminate as Python sends it", "POST", "/users/12345/terminate_connections", "&body_md5=99914b932bd37a50b983c5e7c90ae93b", "{}", "e3c6b279be14c04728803c2f54d90bef57357d2bb2e1b8ae90507149cd3308d7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			query := demoAuth + c.query + "&auth_signature=" + c.signature
			if err := verify(c.method, c.path, query, demoSecret, c.body); err != nil {
				t.Error(err)
			}
			// The order of the parameters is the client's own.
			parts := strings.Split(query, "&")
			for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
				parts[i], parts[j] = parts[j], parts[i]
			}
			if err := verify(strings.ToLower(c.method), c.path, strings.Join(parts, "&"), demoSecret, c.body); err != nil {
				t.Errorf("turned: %v", err)
			}
		})
	}
}

// TestWaysToWriteTheSame takes a request in each way in which a library writes the same string to sign.
func TestWaysToWriteTheSame(t *testing.T) {
	t.Parallel()
	const path = "/apps/3/channels"
	for _, c := range []struct{ name, path, query, signedPath, signed string }{
		{"literal values", path, "&filter_by_prefix=a,b;c=d@e", path, "&filter_by_prefix=a,b;c=d@e"},
		{"escaped values", path, "&filter_by_prefix=a%2Cb%3Bc%3Dd%40e", path, "&filter_by_prefix=a,b;c=d@e"},
		{"decoded only once", path, "&x=%2541", path, "&x=%41"},
		{"not an escape", path, "&x=100%", path, "&x=100%"},
		{"spaces", path, "&x=a+b%20c", path, "&x=a b c"},
		{"keys of any case", path, "&Info=user_count", path, "&info=user_count"},
		{"escaped keys", path, "&in%66o=user_count", path, "&info=user_count"},
		{"PHP's arrays", path, "&info[0]=user_count&info[1]=subscription_count", path, "&info=user_count,subscription_count"},
		{"PHP's arrays, escaped", path, "&info%5B0%5D=user_count&info%5B1%5D=cache&z=1", path, "&info=user_count,cache&z=1"},
		{"Ruby's arrays", path, "&channels[]=b&channels[]=a&name=n", path, "&channels[]=b&channels[]=a&name=n"},
		{"Ruby's arrays, escaped", path, "&channels%5B%5D=b&channels%5B%5D=a&name=n", path, "&channels[]=b&channels[]=a&name=n"},
		{"path signed as received", "/apps/3/users/a%40b", "", "/apps/3/users/a%40b", ""},
		{"path signed decoded", "/apps/3/users/a%40b", "", "/apps/3/users/a@b", ""},
		{"both", "/apps/3/users/a%40b", "&info[0]=x&info[1]=y", "/apps/3/users/a@b", "&info=x,y"},
		{"empty value", path, "&info=", path, "&info="},
		{"no equals sign", path, "&info", path, "&info="},
		{"empty pairs", path, "&&info=x&", path, "&info=x"},
	} {
		signature := hmacHex("GET\n" + c.signedPath + "\n" + demoAuth + c.signed)
		if err := verify("GET", c.path, demoAuth+c.query+"&auth_signature="+signature, demoSecret, ""); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestSignatureRefusals(t *testing.T) {
	t.Parallel()
	const path, body = "/apps/3/events", `{"name":"foo"}`
	md5Param := "&body_md5=" + md5Hex(body)
	signed := func(query string) string {
		return query + "&auth_signature=" + hmacHex("POST\n"+path+"\n"+query)
	}
	good := signed(demoAuth + md5Param)
	signature := good[strings.LastIndex(good, "=")+1:]
	for _, c := range []struct{ name, method, path, query, secret, body, want string }{
		{"no key", "POST", path, "auth_version=1.0", demoSecret, body, "Missing parameter: auth_key"},
		{"nothing", "POST", path, "", demoSecret, body, "Missing parameter: auth_key"},
		{"no version", "POST", path, signed("auth_key=k&auth_timestamp=1353088179" + md5Param), demoSecret, body, "Version not supported"},
		{"other version", "POST", path, signed("auth_key=k&auth_timestamp=1353088179&auth_version=2.0" + md5Param), demoSecret, body, "Version not supported"},
		{"no timestamp", "POST", path, signed("auth_key=k&auth_version=1.0" + md5Param), demoSecret, body, "Timestamp required"},
		{"timestamp of words", "POST", path, signed("auth_key=k&auth_timestamp=now&auth_version=1.0" + md5Param), demoSecret, body, "Timestamp required"},
		{"timestamp of milliseconds", "POST", path, signed("auth_key=k&auth_timestamp=1353088179000&auth_version=1.0" + md5Param), demoSecret, body, "Timestamp expired: Given timestamp (1353088179000) not within 600s of server time (2012-11-16T17:49:39Z)"},
		{"smallest timestamp", "POST", path, signed("auth_key=k&auth_timestamp=-9223372036854775808&auth_version=1.0" + md5Param), demoSecret, body, "Timestamp expired"},
		{"largest timestamp", "POST", path, signed("auth_key=k&auth_timestamp=9223372036854775807&auth_version=1.0" + md5Param), demoSecret, body, "Timestamp expired"},
		{"no digest", "POST", path, signed(demoAuth), demoSecret, body, "Missing parameter: body_md5"},
		{"wrong digest", "POST", path, signed(demoAuth + "&body_md5=" + md5Hex("other")), demoSecret, body, "Invalid body_md5"},
		{"digest of no body", "POST", path, signed(demoAuth + "&body_md5=" + md5Hex(body)), demoSecret, "", "Invalid body_md5"},
		{"other body", "POST", path, good, demoSecret, body + " ", "Invalid body_md5"},
		{"wrong SHA-256", "POST", path, signed(demoAuth + "&body_sha256=" + sha256Hex("other")), demoSecret, body, "Invalid body_sha256"},
		{"SHA-256 of no body", "POST", path, signed(demoAuth + "&body_sha256=" + sha256Hex(body)), demoSecret, "", "Invalid body_sha256"},
		{"right MD5, wrong SHA-256", "POST", path, signed(demoAuth + md5Param + "&body_sha256=" + sha256Hex("other")), demoSecret, body, "Invalid body_sha256"},
		{"right SHA-256, wrong MD5", "POST", path, signed(demoAuth + "&body_md5=" + md5Hex("other") + "&body_sha256=" + sha256Hex(body)), demoSecret, body, "Invalid body_md5"},
		{"no signature", "POST", path, demoAuth + md5Param, demoSecret, body, "Missing parameter: auth_signature"},
		{"other secret", "POST", path, good, "other", body, `Invalid signature: you should have sent HmacSHA256Hex("POST\n/apps/3/events\n` + demoAuth + md5Param + `", your_secret_key), but you sent "` + signature + `"`},
		{"other path", "POST", "/apps/3/batch_events", good, demoSecret, body, "Invalid signature"},
		{"slash at the end", "POST", path + "/", good, demoSecret, body, "Invalid signature"},
		{"other method", "PUT", path, good, demoSecret, body, "Invalid signature"},
		{"more parameters", "POST", path, good + "&info=user_count", demoSecret, body, "Invalid signature"},
		{"capitals", "POST", path, strings.Replace(good, signature, strings.ToUpper(signature), 1), demoSecret, body, "Invalid signature"},
		{"half a signature", "POST", path, good[:len(good)-1], demoSecret, body, "Invalid signature"},
		{"long signature", "POST", path, good + "0", demoSecret, body, "Invalid signature"},
		{"key twice", "POST", path, signed("auth_key=a&auth_key=" + demoKey), demoSecret, body, "Duplicate parameter: auth_key"},
		{"key twice in two cases", "POST", path, signed("AUTH_KEY=a&auth_key=" + demoKey), demoSecret, body, "Duplicate parameter: auth_key"},
		{"parameter twice", "POST", path, signed(demoAuth + "&info=a&info=b"), demoSecret, body, "Duplicate parameter: info"},
		{"a place of an array twice", "POST", path, signed(demoAuth + "&info[0]=a&info[1]=b&info[0]=c"), demoSecret, body, "Duplicate parameter: info[0]"},
		{"array and not", "POST", path, signed(demoAuth + "&info[]=a&info=b"), demoSecret, body, "Duplicate parameter: info"},
		{"not and array", "POST", path, signed(demoAuth + "&info=a&info[0]=b"), demoSecret, body, "Duplicate parameter: info"},
		{"a line break twice", "POST", path, signed(demoAuth + "&a%0A=1&a%0a=2"), demoSecret, body, `Duplicate parameter: "a\n"`},
	} {
		err := verify(c.method, c.path, c.query, c.secret, c.body)
		var auth *pusher.AuthError
		if !errors.As(err, &auth) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	if err := verify("POST", path, good, demoSecret, body); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

// TestDigests takes a body by either digest, and by both.
func TestDigests(t *testing.T) {
	t.Parallel()
	const path = "/apps/3/events"
	for _, body := range []string{"", "{}", "ü"} {
		for _, digest := range []string{
			"&body_md5=" + md5Hex(body), "&body_sha256=" + sha256Hex(body), "&body_md5=" + md5Hex(body) + "&body_sha256=" + sha256Hex(body),
		} {
			query := demoAuth + digest
			query += "&auth_signature=" + hmacHex("POST\n"+path+"\n"+query)
			if err := verify("POST", path, query, demoSecret, body); err != nil {
				t.Errorf("%q by %s: %v", body, digest, err)
			}
		}
	}
}

func TestWindowOfTime(t *testing.T) {
	t.Parallel()
	for offset, ok := range map[int64]bool{0: true, 599: true, -599: true, 600: false, -600: false, 601: false, -601: false} {
		query := "auth_key=k&auth_timestamp=" + strconv.FormatInt(demoTime+offset, 10) + "&auth_version=1.0"
		query += "&auth_signature=" + hmacHex("GET\n/apps/3/channels\n"+query)
		err := verify("GET", "/apps/3/channels", query, demoSecret, "")
		if (err == nil) != ok {
			t.Errorf("%d s off: %v", offset, err)
		}
	}
}

// FuzzSignature signs the query in the plainest way and expects it to be taken; no other signature may be.
func FuzzSignature(f *testing.F) {
	f.Add("POST", "/apps/3/events", "name=x&channels[]=a&channels[]=b", "body")
	f.Add("GET", "/apps/3/users/a%40b", "info[0]=x&info[1]=y&%zz=%&=&a=b=c", "")
	f.Add("get", "/%", "A=1&a=2&+=%2b", "{}")
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		query = demoAuth + "&" + query
		if body != "" {
			query += "&body_md5=" + md5Hex(body)
		}
		r, err := pusher.ParseRequest(method, path, query+"&auth_signature="+strings.Repeat("0", 64))
		if err != nil {
			return
		}
		if r.Key() != demoKey {
			t.Fatalf("key %q", r.Key())
		}
		err = r.Verify(demoSecret, []byte(body))
		if err == nil {
			t.Fatal("a made-up signature was taken")
		}
		// The refusal names the string that should have been signed; signing that must be right.
		const before, after = "Invalid signature: you should have sent HmacSHA256Hex(", ", your_secret_key)"
		quoted, ok := strings.CutPrefix(err.Error(), before)
		if !ok {
			return
		}
		quoted = quoted[:strings.LastIndex(quoted, after)]
		text, err := strconv.Unquote(quoted)
		if err != nil {
			t.Fatalf("%s: %v", quoted, err)
		}
		r, err = pusher.ParseRequest(method, path, query+"&auth_signature="+hmacHex(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Verify(demoSecret, []byte(body)); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	})
}

// TestSignedRequestIsUsedAgain takes one request after another with the same SignedRequest, good ones and bad
// ones, short secrets and long: none may see anything of the one before.
func TestSignedRequestIsUsedAgain(t *testing.T) {
	t.Parallel()
	const path = "/apps/3/channels"
	var r pusher.SignedRequest
	for range 3 {
		for _, n := range []int{0, 1, 63, 64, 65, 1000} {
			secret := strings.Repeat("s", n)
			for _, query := range []string{
				demoAuth, demoAuth + "&info[0]=a&info[1]=b", demoAuth + "&x=" + strings.Repeat("long", 4000), demoAuth + strings.Repeat("&x[]=1", 200),
			} {
				mac := hmac.New(sha256.New, []byte(secret))
				mac.Write([]byte("GET\n" + path + "\n" + query))
				good := query + "&auth_signature=" + hex.EncodeToString(mac.Sum(nil))
				for _, c := range []struct {
					query, secret string
					ok            bool
				}{{good, secret, true}, {good, secret + "s", false}, {good + "0", secret, false}, {good, secret, true}} {
					if err := r.Parse("GET", path, c.query); err != nil || r.Key() != demoKey {
						t.Fatalf("key %q, %v", r.Key(), err)
					}
					if err := r.Verify(c.secret, nil); (err == nil) != c.ok {
						t.Errorf("secret of %d bytes, %.80s: %v", n, c.query, err)
					}
					r.Reset()
				}
			}
			if err := r.Parse("GET", path, "auth_version=1.0"); err == nil || r.Key() != "" {
				t.Errorf("key %q, %v", r.Key(), err)
			}
			if err := r.Parse("GET", path, demoAuth+"&a=1&a=2"); err == nil || r.Key() != "" {
				t.Errorf("key %q, %v", r.Key(), err)
			}
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	body := []byte(`{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}`)
	query := demoAuth + "&body_md5=ec365a775a4cd0599faeb73354201b6f&auth_signature=da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c"
	if _, err := url.ParseQuery(query); err != nil {
		b.Fatal(err)
	}
	now := time.Unix(demoTime, 0)
	var r pusher.SignedRequest
	b.ReportAllocs()
	for b.Loop() {
		r.Reset()
		if err := r.Parse("POST", "/apps/3/events", query); err != nil {
			b.Fatal(err)
		}
		if err := r.CheckTime(now); err != nil {
			b.Fatal(err)
		}
		if err := r.Verify(demoSecret, body); err != nil {
			b.Fatal(err)
		}
	}
}
