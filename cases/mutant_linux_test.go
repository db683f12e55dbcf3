package cases

import (
	"reflect"
	"slices"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// mutant is a kernel that lies in one thing, everywhere it can.
type mutant struct {
	name   string // "sendfile: the offset is not moved"
	tamper func(k *sys.Kernel)
}

// mutants is every lie that is known.
var mutants = slices.Concat(
	transferMutants(),
	sendfileMutants,
	spliceMutants,
	teeMutants,
	vmspliceMutants,
	copyFileRangeMutants,
	memoryMutants(),
	socketMutants,
	optionMutants,
	fileMutants,
	pipeMutants,
	placeMutants,
	uringTransferMutants(),
	uringMutants,
	uringChainMutants,
)

// honest is the kernel that the lies are told about.
var honest = sys.Native()

// tampered is a kernel with the lie.
func (m *mutant) tampered() *sys.Kernel {
	k := sys.Native()
	m.tamper(k)
	return k
}

// lies are the names of the calls that a mutant lies about.
func (m *mutant) lies() []string {
	var names []string
	told, true := reflect.ValueOf(m.tampered()).Elem(), reflect.ValueOf(honest).Elem()
	for i := range told.NumField() {
		if told.Field(i).Pointer() != true.Field(i).Pointer() {
			names = append(names, told.Type().Field(i).Name)
		}
	}
	return names
}
