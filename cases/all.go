package cases

import "slices"

// all is every case of every system.
func all() []*Case {
	return slices.Concat(
		sendfileCases,
		libraryFileCases, libraryRelayCases, libraryBackendCases,
		spliceFlags,
		spliceOffset,
		splicePipe,
		spliceSize,
		spliceSocket,
		splicePage,
		splicePseudo,
		copyFileRangeCases, appendCases,
		msgZerocopyCases,
		teeCases,
		vmspliceCases,
		uringSpliceCases, uringSendCases,
		ktlsSendCases, ktlsReceiveCases,
		sockmapCases,
		libraryFallbackCases, libraryProgressCases,
	)
}
