package cases

import "slices"

// sendfileCases is every question about sendfile(2) on Linux.
var sendfileCases = slices.Concat(
	sendfileOffset,
	sendfilePointer,
	sendfileCount,
	sendfileDescriptors,
	sendfileAnonymous,
	sendfileDevices,
	sendfilePseudo,
	sendfileTerminal,
	sendfileFile,
	sendfileFileState,
	sendfileSocket,
	sendfileDatagram,
	sendfileCork,
	sendfileReset,
	sendfileNonblock,
	sendfileBlocking,
	sendfileSignal,
	sendfilePipe,
	sendfileChange,
)
