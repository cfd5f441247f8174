package httpapi_test

import (
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// TestWorkedExamples answers the worked examples of the protocol, which independent tools have signed, at their time.
func TestWorkedExamples(t *testing.T) {
	t.Parallel()
	const (
		auth   = "auth_key=" + workedKey + "&auth_timestamp=1353088179&auth_version=1.0"
		braces = "&body_md5=99914b932bd37a50b983c5e7c90ae93b"
		batch  = `{"batch":[{"channel":"my-channel","name":"ev","data":"{\"a\":1}"},{"channel":"presence-x","name":"ev","data":"hi","info":"user_count"}]}`
	)
	for _, c := range []struct{ name, method, path, query, body, signature, want string }{
		{
			"publish", "POST", "/apps/3/events", "&body_md5=ec365a775a4cd0599faeb73354201b6f",
			`{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}`,
			"da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c", "{}",
		},
		{
			"batch", "POST", "/apps/3/batch_events", "&body_md5=13c7060be68798b195566e5c00953827", batch,
			"e99e9fccfb9316cfa0128dc5b1dee784f758d2096c99231db3ed648e29f8d5ff", `{"batch":[{},{"user_count":0}]}`,
		},
		{
			"channels", "GET", "/apps/3/channels", "&filter_by_prefix=presence-&info=user_count", "",
			"16819168891cb5dfd72b5c7a5d3d602605b26c6ba1930033b5e2eeeb65010291", `{"channels":{}}`,
		},
		{
			"channels as Python asks", "GET", "/apps/3/channels",
			"&body_md5=d41d8cd98f00b204e9800998ecf8427e&filter_by_prefix=presence-&info=user_count", "",
			"f3f17c61ae491cc9085db68b22076e9b772e3bcb301659d655153ee3f9782aba", `{"channels":{}}`,
		},
		{
			"terminate", "POST", "/apps/3/users/12345/terminate_connections", braces, "{}",
			"01fa634edeb0cae84115307cad5c23f65a46cd286461b1c89637a3b5871a8f0e", "{}",
		},
		{
			"terminate as Python asks", "POST", "/users/12345/terminate_connections", braces, "{}",
			"e3c6b279be14c04728803c2f54d90bef57357d2bb2e1b8ae90507149cd3308d7", "{}",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(time.Unix(1353088179, 0)))
				a := newAPI(t, "")
				w := httptest.NewRecorder()
				a.ServeHTTP(w, request(c.method, c.path, auth+c.query+"&auth_signature="+c.signature, c.body))
				checkAnswer(t, w, c.want)
			})
		})
	}
}
