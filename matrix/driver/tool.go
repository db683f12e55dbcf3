package driver

import (
	"runtime"
	"runtime/debug"

	"github.com/zcprobe/zcprobe/matrix"
)

// thisTool is what the build says about this program.
func thisTool() matrix.Tool {
	tool := matrix.Tool{Version: "(devel)", Commit: "unknown", Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return tool
	}
	if info.Main.Version != "" {
		tool.Version = info.Main.Version
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			tool.Commit = setting.Value
		}
	}
	return tool
}
