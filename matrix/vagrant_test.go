package matrix

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// settings is what a Vagrantfile sets on one of Vagrant's objects.
type settings map[string]any

func (s settings) part(name string) settings {
	part, _ := s[name].(map[string]any)
	return part
}

// calls are those of one method: its words, its named words, and what a block
// set.
func (s settings) calls(name string) []settings {
	var list []settings
	all, _ := s["calls"].([]any)
	for _, c := range all {
		if call, _ := c.(map[string]any); call["call"] == name {
			list = append(list, call)
		}
	}
	return list
}

// vagrantfile reads the Vagrantfile as Vagrant does, by a stand-in for Vagrant
// that remembers: the machines by name.
func vagrantfile(t *testing.T, winrm string, environment ...string) (whole settings, machines map[string]settings) {
	t.Helper()
	ruby, err := exec.LookPath("ruby")
	if err != nil {
		t.Skip("ruby is not here to read the Vagrantfile")
	}
	cmd := exec.CommandContext(t.Context(), ruby, "testdata/vagrant.rb", "../Vagrantfile", winrm)
	cmd.Env = append(os.Environ(), environment...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, &whole))
	machines = map[string]settings{}
	for _, define := range whole.part("vm").calls("define") {
		machines[define["words"].([]any)[0].(string)] = define.part("inner")
	}
	return whole, machines
}

// boxed are the targets with a box.
func boxed(t *testing.T) []*Target {
	t.Helper()
	all, err := Targets()
	require.NoError(t, err)
	return slices.DeleteFunc(all, func(t *Target) bool { return t.Vagrant == nil })
}

func TestVagrantfile(t *testing.T) {
	t.Parallel()
	whole, machines := vagrantfile(t, "yes", "BINARIES=/b")
	folder := whole.part("vm").calls("synced_folder")
	require.Len(t, folder, 1)
	assert.Equal(t, true, folder[0].part("named")["disabled"])
	assert.Len(t, machines, len(boxed(t)))
	for _, target := range boxed(t) {
		t.Run(target.ID, func(t *testing.T) {
			t.Parallel()
			machine, ok := machines[target.ID]
			require.True(t, ok)
			vm := machine.part("vm")
			assert.Equal(t, target.Vagrant.Box, vm["box"])
			assert.Equal(t, target.System == "windows", vm["communicator"] == "winrm")
			if target.System == "freebsd" {
				assert.Equal(t, "freebsd", vm["guest"])
				assert.Equal(t, "sh", machine.part("ssh")["shell"])
			}

			// Programs go in, the suite runs, the record comes out.
			suffix := target.System + "-" + target.Arch
			if target.System == "windows" {
				suffix += ".exe"
			}
			steps := vm.calls("provision")
			require.Len(t, steps, 4)
			assert.Equal(t, "/b/zcprobe-"+suffix, steps[1].part("named")["source"])
			assert.Equal(t, "/b/zerocopy.test-"+suffix, steps[2].part("named")["source"])
			run := steps[3].part("named")["inline"].(string)
			assert.Contains(t, run, "zcprobe-"+suffix+" matrix run local --as "+target.ID+" ")
			for _, step := range steps {
				assert.NotContains(t, fmt.Sprint(step.part("named")["inline"]), "go build")
			}
			after := machine.part("trigger").calls("after")
			require.Len(t, after, 1)
			assert.Len(t, after[0].part("inner").calls("ruby"), 1)
		})
	}
}

// Public boxes go away: whatever names one can be replaced.
func TestVagrantfileOverrides(t *testing.T) {
	t.Parallel()
	var environment []string
	for _, target := range boxed(t) {
		name := strings.NewReplacer(".", "_", "-", "_").Replace(strings.ToUpper(target.ID))
		environment = append(environment, "ZCPROBE_BOX_"+name+"=my/"+target.ID, "ZCPROBE_BOX_URL_"+name+"=file:///"+target.ID,
			"ZCPROBE_BOX_VERSION_"+name+"=1.2", "ZCPROBE_BOX_SHA256_"+name+"=abc")
	}
	_, machines := vagrantfile(t, "yes", environment...)
	for _, target := range boxed(t) {
		vm := machines[target.ID].part("vm")
		assert.Equal(t, []any{"my/" + target.ID, "file:///" + target.ID, "1.2", "abc", "sha256"},
			[]any{vm["box"], vm["box_url"], vm["box_version"], vm["box_download_checksum"], vm["box_download_checksum_type"]})
	}
}

// No box of macOS is kept up in public: it is there for who names one.
func TestVagrantfileMacOS(t *testing.T) {
	t.Parallel()
	_, machines := vagrantfile(t, "yes")
	assert.NotContains(t, machines, "macos-26-arm64")
	_, machines = vagrantfile(t, "yes", "ZCPROBE_BOX_MACOS_26_ARM64=mine")
	require.Contains(t, machines, "macos-26-arm64")
	assert.Equal(t, []any{"mine", "darwin", "sh"}, []any{machines["macos-26-arm64"].part("vm")["box"],
		machines["macos-26-arm64"].part("vm")["guest"], machines["macos-26-arm64"].part("ssh")["shell"]})
}

// A Vagrant that cannot speak to Windows must not fail for the others.
func TestVagrantfileWithoutWinRM(t *testing.T) {
	t.Parallel()
	_, machines := vagrantfile(t, "no")
	assert.NotEmpty(t, machines)
	for _, target := range boxed(t) {
		_, there := machines[target.ID]
		assert.Equal(t, target.System != "windows", there, target.ID)
	}
}

// Vagrant itself finds nothing wrong.
func TestVagrantValidates(t *testing.T) {
	t.Parallel()
	vagrant, err := exec.LookPath("vagrant")
	if err != nil {
		t.Skip("vagrant is not here")
	}
	dir := t.TempDir()
	for _, target := range boxed(t) {
		for _, program := range []string{"zcprobe-", "zerocopy.test-"} {
			for _, end := range []string{"", ".exe"} {
				require.NoError(t, os.WriteFile(filepath.Join(dir, program+target.System+"-"+target.Arch+end), nil, 0o600))
			}
		}
	}
	for _, word := range []string{"validate", "status"} {
		cmd := exec.CommandContext(t.Context(), vagrant, word)
		cmd.Dir = ".."
		cmd.Env = append(os.Environ(), "BINARIES="+dir, "VAGRANT_HOME="+filepath.Join(dir, "home"),
			"VAGRANT_DOTFILE_PATH="+filepath.Join(dir, "dot"), "VAGRANT_CHECKPOINT_DISABLE=1")
		out, err := cmd.CombinedOutput()
		if strings.Contains(string(out), "No usable default provider") {
			t.Skipf("vagrant has no provider here: %s", out)
		}
		require.NoError(t, err, "%s", out)
		if word == "status" {
			assert.Contains(t, string(out), "debian-13-amd64")
		}
	}
}
