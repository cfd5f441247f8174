package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/pflag"

	"github.com/pealhq/peal/tenants"
)

const deployFolder = "../../deploy/"

// compose is what the tests look at of deploy/compose.yaml.
type compose struct {
	Services map[string]struct {
		Image           string
		Command         []string
		Build           struct{ Context, Dockerfile string }
		Environment     map[string]string
		Ports           []string
		Volumes         []string
		StopGracePeriod string         `yaml:"stop_grace_period"`
		Ulimits         map[string]int `yaml:"ulimits"`
		Networks        yaml.MapSlice  // a list where it has no addresses
		Healthcheck     map[string]any
	}
}

// example is deploy/env.example, filled in.
func example(t *testing.T) map[string]string {
	t.Helper()
	env := map[string]string{}
	for line := range strings.Lines(readFile(t, deployFolder+"env.example")) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(name, "#") {
			env[name] = value
		}
	}
	for name, value := range map[string]string{
		"KEY_ENCRYPTION_KEY": tenants.NewKeyEncryptionKey().Encode(), "POSTGRES_PASSWORD": "0a1b", "REDIS_PASSWORD": "2c3d",
	} {
		if v, ok := env[name]; !ok || v != "" {
			t.Errorf("env.example: %s is %q, and should be left open", name, v)
		}
		env[name] = value
	}
	return env
}

var variable = regexp.MustCompile(`\$\{([A-Z_]+)(:\?[^}]*)?\}`)

// composeFile is deploy/compose.yaml with the example's values.
func composeFile(t *testing.T) compose {
	t.Helper()
	env, used := example(t), map[string]bool{}
	text := variable.ReplaceAllStringFunc(readFile(t, deployFolder+"compose.yaml"), func(v string) string {
		name := variable.FindStringSubmatch(v)[1]
		if used[name] = true; env[name] == "" {
			t.Errorf("compose.yaml: env.example has no %s", name)
		}
		return env[name]
	})
	for name := range env {
		if !used[name] {
			t.Errorf("env.example: compose.yaml has no use for %s", name)
		}
	}
	// A list of networks has no addresses, and would not be read as a map.
	text = strings.ReplaceAll(text, "networks: [inside]", "networks: {inside: }")
	var c compose
	if err := yaml.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c compose) address(t *testing.T, service string) string {
	t.Helper()
	for _, n := range c.Services[service].Networks {
		if m, ok := n.Value.(map[string]any); ok {
			if a, ok := m["ipv4_address"].(string); ok && net.ParseIP(a) != nil {
				return a
			}
		}
	}
	t.Errorf("compose.yaml: %s has no address", service)
	return ""
}

// TestComposeSettings reads the variables of each of our containers as the program in it would.
func TestComposeSettings(t *testing.T) {
	t.Parallel()
	c := composeFile(t)
	ours := 0
	for name, service := range c.Services {
		if !strings.HasPrefix(service.Image, "peal:") {
			continue
		}
		ours++
		var environ []string
		for k, v := range service.Environment {
			environ = append(environ, k+"="+v)
		}
		s, mistakes := readSettings(pflag.NewFlagSet("", pflag.ContinueOnError), environ)
		for _, err := range mistakes {
			t.Errorf("%s: %v", name, err)
		}
		d := &doctor{settings: s}
		d.examineSettings(nil)
		findings(d.found).none(t, statusWarning)
		if _, err := keyEncryptionKeys(s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.Contains(s.text(setDatabaseURL), "@postgres:") || !strings.Contains(s.text(setRedisURL), "@redis:") {
			t.Errorf("%s looks for its servers elsewhere: %s", name, service.Environment)
		}
		if name == "migrate" {
			continue
		}
		if proxy := c.address(t, "haproxy"); s.text(setTrustedProxies) != proxy {
			t.Errorf("%s trusts %s, and HAProxy is %s", name, s.text(setTrustedProxies), proxy)
		}
		grace, err := time.ParseDuration(service.StopGracePeriod)
		if least := s.duration(setDrainPause) + s.duration(setShutdownTimeout); err != nil || grace < least+5*time.Second {
			t.Errorf("%s may take %v to stop, and is given %s", name, least, service.StopGracePeriod)
		}
		if service.Ulimits["nofile"] < 2*fewSockets {
			t.Errorf("%s: nofile is %d", name, service.Ulimits["nofile"])
		}
		if service.Build.Context != ".." || service.Build.Dockerfile != "deploy/Dockerfile" {
			t.Errorf("%s is built from %+v", name, service.Build)
		}
	}
	if ours != 3 {
		t.Errorf("%d services run peal, want two edges and a migration", ours)
	}
}

// TestComposePorts: HAProxy alone is reached from outside, goes by the configuration we ship, and finds the edges.
func TestComposePorts(t *testing.T) {
	t.Parallel()
	c := composeFile(t)
	s, err := load(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	port := func(setting string) string { return s.text(setting)[strings.LastIndex(s.text(setting), ":")+1:] }
	config := readFile(t, deployFolder+"haproxy.cfg")
	for name, value := range c.Services["haproxy"].Environment {
		if !strings.Contains(config, `"${`+name+"-") && !strings.Contains(config, "${"+name+"}") {
			t.Errorf("haproxy.cfg has no use for %s", name)
		}
		edge := c.address(t, "edge-"+name[len(name)-1:])
		want := net.JoinHostPort(edge, port(setEdgeAddr))
		if strings.HasPrefix(name, "PEAL_CONTROL") {
			want = net.JoinHostPort(edge, port(setControlAddr))
		}
		if value != want {
			t.Errorf("%s is %s, and should be %s", name, value, want)
		}
	}
	for _, want := range []string{
		"${PEAL_PORT-" + port(setEdgeAddr) + "}", "${PEAL_CONTROL-" + port(setControlAddr) + "}", "${PEAL_OPS_1-" + port(setOpsAddr) + "}",
	} {
		if !strings.Contains(config, want) {
			t.Errorf("haproxy.cfg does not say %s", want)
		}
	}
	for name, service := range c.Services {
		if name != "haproxy" && len(service.Ports) > 0 {
			t.Errorf("%s is reached from outside at %s", name, service.Ports)
		}
		if name == "edge-1" || name == "edge-2" {
			if service.Environment["PEAL_OPS_ADDR"] != ":"+port(setOpsAddr) {
				t.Errorf("%s has its ops door at %s, where HAProxy does not look", name, service.Environment["PEAL_OPS_ADDR"])
			}
		}
		for _, v := range service.Volumes {
			if file, _, _ := strings.Cut(v, ":"); strings.HasPrefix(file, "./") {
				readFile(t, deployFolder+file)
			}
		}
	}
	if got := c.Services["haproxy"].Ports; !slices.Equal(got, []string{"6001:" + port(setEdgeAddr), "6002:" + port(setControlAddr)}) {
		t.Errorf("HAProxy is reached at %s", got)
	}
	nginx := readFile(t, deployFolder+"nginx.conf")
	for _, want := range []string{"edge-1:" + port(setEdgeAddr), "edge-2:" + port(setEdgeAddr), "edge-1:" + port(setControlAddr)} {
		if !strings.Contains(nginx, want) {
			t.Errorf("nginx.conf does not name %s", want)
		}
	}
}

// TestImages: each is named by version, and those that build have what the toolchain asks for.
func TestImages(t *testing.T) {
	t.Parallel()
	version := regexp.MustCompile(`^[a-z]+:(\d+(\.\d+)*(-[a-z-]+)?|[a-z]+-slim)$`)
	for name, service := range composeFile(t).Services {
		if !version.MatchString(service.Image) && service.Image != "peal:devel" {
			t.Errorf("the image of %s, %q, is not named by version", name, service.Image)
		}
	}
	file := readFile(t, deployFolder+"Dockerfile")
	from := regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(file, -1)
	if len(from) != 3 {
		t.Fatalf("the Dockerfile has %d stages", len(from))
	}
	for _, f := range from {
		if !version.MatchString(f[1]) {
			t.Errorf("%s is not named by version", f[1])
		}
	}
	goMod := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(readFile(t, "../../go.mod"))
	node := regexp.MustCompile(`(?m)^node_min=(\S+)`).FindStringSubmatch(readFile(t, "../../scripts/toolchain.sh"))
	for _, want := range []string{"golang:" + goMod[1] + "-", "node:" + node[1] + "-"} {
		if !strings.Contains(file, "FROM "+want) {
			t.Errorf("the Dockerfile does not build from %s…", want)
		}
	}
}

// TestDockerfile: what it copies is there and is let in, what it runs exists, and what it names are settings.
func TestDockerfile(t *testing.T) {
	t.Parallel()
	file, ignore := readFile(t, deployFolder+"Dockerfile"), readFile(t, deployFolder+"Dockerfile.dockerignore")
	for _, m := range regexp.MustCompile(`PEAL_[A-Z_]+`).FindAllString(file, -1) {
		if !known(strings.ToLower(strings.TrimPrefix(m, envPrefix))) {
			t.Errorf("there is no setting %s", m)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^COPY ([^-\n].*) \S+$`).FindAllStringSubmatch(file, -1) {
		for source := range strings.FieldsSeq(m[1]) {
			if _, err := os.Stat(filepath.Join("../..", source)); err != nil {
				t.Error(err)
			}
		}
	}
	// Each folder with code that the binary is made of.
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if .Module}}{{if .Module.Main}}{{.ImportPath}}{{end}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	if len(packages) < 20 {
		t.Errorf("the program has only %d packages: %s", len(packages), packages)
	}
	for _, p := range packages {
		root, _, _ := strings.Cut(strings.TrimPrefix(p, "github.com/pealhq/peal/"), "/")
		if !strings.Contains(ignore, "\n!"+root+"\n") {
			t.Errorf("Dockerfile.dockerignore keeps %s out", p)
		}
	}
	cmd, _, err := rootCommand().Find([]string{"ready"})
	if err != nil || cmd.Name() != "ready" || !strings.Contains(file, `CMD ["peal", "ready"]`) {
		t.Errorf("the health check is not `peal ready`: %v", err)
	}
	for _, want := range []string{`ENTRYPOINT ["peal"]`, `CMD ["serve"]`, "USER 10001:10001", "-trimpath", "-X main.version=$VERSION", "EXPOSE 6001 6002"} {
		if !strings.Contains(file, want) {
			t.Errorf("the Dockerfile does not say %s", want)
		}
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestAlarmsNameMetrics: what operators are told to watch exists.
func TestAlarmsNameMetrics(t *testing.T) {
	t.Parallel()
	list := readFile(t, docsFolder+"metrics.md")
	named := regexp.MustCompile(`peal_[a-z_]+`).FindAllString(readFile(t, docsFolder+"operations.md"), -1)
	if len(named) < 10 {
		t.Fatalf("only %d metrics are named", len(named))
	}
	roles := []string{"peal_tenant", "peal_platform", "peal_edge"}
	for _, name := range named {
		if !slices.Contains(roles, name) && !strings.Contains(list, "| `"+name+"` |") {
			t.Errorf("operations.md names %s, which does not exist", name)
		}
	}
}
