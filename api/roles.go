package api

import "doorstep"

// admits says which roles each operation lets in, as x-roles of openapi.yaml
// does.
var admits = map[string][]doorstep.Role{
	"putOutlet":          {doorstep.RoleIntegrator},
	"getOutlet":          {doorstep.RoleIntegrator, doorstep.RoleManager, doorstep.RoleHQ},
	"putCourier":         {doorstep.RoleIntegrator},
	"getCourier":         {doorstep.RoleIntegrator, doorstep.RoleHQ},
	"postScans":          {doorstep.RoleIntegrator},
	"postDispatches":     {doorstep.RoleIntegrator},
	"createConsumerLink": {doorstep.RoleIntegrator},
	"getParcel":          {doorstep.RoleIntegrator, doorstep.RoleCourier, doorstep.RoleConsumer, doorstep.RoleManager, doorstep.RoleHQ},
	"listEvents":         {doorstep.RoleIntegrator, doorstep.RoleHQ},

	"putProvider":            {doorstep.RoleIntegrator},
	"getProvider":            {doorstep.RoleIntegrator, doorstep.RoleHQ},
	"createProviderCallback": {doorstep.RoleIntegrator},
	"deleteProviderCallback": {doorstep.RoleIntegrator},
	"postProviderEvents":     {doorstep.RoleIntegrator},
	"postProviderHeartbeat":  {doorstep.RoleIntegrator},
	"putProviderTotal":       {doorstep.RoleIntegrator},
	"getProviderHealth":      {doorstep.RoleIntegrator, doorstep.RoleManager, doorstep.RoleHQ},
	"listProviderFaults":     {doorstep.RoleIntegrator, doorstep.RoleManager, doorstep.RoleHQ},
	"putMaskedNumber":        {doorstep.RoleIntegrator},
	"createCall":             {doorstep.RoleCourier},
	"listParcelContacts":     {doorstep.RoleManager, doorstep.RoleHQ},

	"createWebhook":         {doorstep.RoleIntegrator},
	"listWebhooks":          {doorstep.RoleIntegrator, doorstep.RoleHQ},
	"getWebhook":            {doorstep.RoleIntegrator, doorstep.RoleHQ},
	"putWebhook":            {doorstep.RoleIntegrator},
	"deleteWebhook":         {doorstep.RoleIntegrator},
	"rotateWebhookSecret":   {doorstep.RoleIntegrator},
	"testWebhook":           {doorstep.RoleIntegrator},
	"replayWebhook":         {doorstep.RoleIntegrator},
	"listWebhookDeliveries": {doorstep.RoleIntegrator, doorstep.RoleHQ},
	"resendWebhookDelivery": {doorstep.RoleIntegrator},

	"getMyTags":        {doorstep.RoleConsumer},
	"putMyPreferences": {doorstep.RoleConsumer},
	"confirmMyTag":     {doorstep.RoleConsumer},
	"deleteMyTag":      {doorstep.RoleConsumer},
	"correctMyTag":     {doorstep.RoleConsumer},
	"putMyLearning":    {doorstep.RoleConsumer},
	"createConsent":    {doorstep.RoleConsumer},
	"listMyConsents":   {doorstep.RoleConsumer},
	"revokeConsent":    {doorstep.RoleConsumer},
	"listMyComplaints": {doorstep.RoleConsumer},

	"fileComplaint":    {doorstep.RoleIntegrator, doorstep.RoleConsumer, doorstep.RoleManager},
	"getComplaint":     {doorstep.RoleIntegrator, doorstep.RoleCourier, doorstep.RoleConsumer, doorstep.RoleManager, doorstep.RoleHQ},
	"listOutletAlerts": {doorstep.RoleManager, doorstep.RoleHQ},
	"listComplaints":   {doorstep.RoleCourier, doorstep.RoleManager, doorstep.RoleHQ},

	"addComplaintMessage":   {doorstep.RoleConsumer},
	"confirmComplaint":      {doorstep.RoleConsumer},
	"disputeComplaint":      {doorstep.RoleConsumer},
	"reopenComplaint":       {doorstep.RoleConsumer},
	"withdrawComplaint":     {doorstep.RoleConsumer},
	"answerComplaint":       {doorstep.RoleManager, doorstep.RoleHQ},
	"pauseComplaint":        {doorstep.RoleManager, doorstep.RoleHQ},
	"rerouteComplaint":      {doorstep.RoleManager, doorstep.RoleHQ},
	"recategoriseComplaint": {doorstep.RoleManager, doorstep.RoleHQ},
	"addComplaintNote":      {doorstep.RoleManager, doorstep.RoleHQ},
	"listComplaintNotes":    {doorstep.RoleManager, doorstep.RoleHQ},
	"listNotices":           {doorstep.RoleCourier, doorstep.RoleManager, doorstep.RoleHQ},
	"listStatusCodes":       {doorstep.RoleIntegrator, doorstep.RoleManager, doorstep.RoleHQ},

	"getWebPushKey":  {doorstep.RoleCourier},
	"putDevice":      {doorstep.RoleCourier},
	"deleteDevice":   {doorstep.RoleCourier},
	"getMyRun":       {doorstep.RoleCourier},
	"postNextStop":   {doorstep.RoleCourier},
	"listMyAlerts":   {doorstep.RoleCourier},
	"streamMyAlerts": {doorstep.RoleCourier},
	"postReceipts":   {doorstep.RoleCourier},
	"postEvidence":   {doorstep.RoleCourier},

	"postTagFeedback":  {doorstep.RoleCourier, doorstep.RoleManager},
	"listLearning":     {doorstep.RoleManager, doorstep.RoleHQ},
	"resumeLearning":   {doorstep.RoleHQ},
	"createPreContact": {doorstep.RoleCourier, doorstep.RoleManager},
	"signFor":          {doorstep.RoleCourier},
	"overrideSignFor":  {doorstep.RoleManager},
	"correctSignFor":   {doorstep.RoleCourier, doorstep.RoleManager},
	"createAttempt":    {doorstep.RoleCourier},

	"getKpis":     {doorstep.RoleIntegrator, doorstep.RoleManager, doorstep.RoleHQ},
	"compareKpis": {doorstep.RoleIntegrator, doorstep.RoleManager, doorstep.RoleHQ},

	"listEvidence":         {doorstep.RoleManager, doorstep.RoleHQ},
	"putPhoto":             {doorstep.RoleCourier},
	"getPhoto":             {doorstep.RoleCourier, doorstep.RoleManager, doorstep.RoleHQ},
	"listOverrides":        {doorstep.RoleManager, doorstep.RoleHQ},
	"getComplaintEvidence": {doorstep.RoleCourier, doorstep.RoleManager, doorstep.RoleHQ},
	"getComplaintBundle":   {doorstep.RoleCourier, doorstep.RoleManager, doorstep.RoleHQ},
	"getRegulatorPack":     {doorstep.RoleCourier, doorstep.RoleManager, doorstep.RoleHQ},

	"getMyExport":  {doorstep.RoleConsumer},
	"deleteMe":     {doorstep.RoleConsumer},
	"getMyErasure": {doorstep.RoleConsumer},
	"createHold":   {doorstep.RoleManager, doorstep.RoleHQ},
	"listHolds":    {doorstep.RoleManager, doorstep.RoleHQ},
	"releaseHold":  {doorstep.RoleManager, doorstep.RoleHQ},
	"listAccesses": {doorstep.RoleCourier, doorstep.RoleManager, doorstep.RoleHQ},
}

// batches are the operations whose items have natural keys: their bodies may be
// large, and they need no idempotency key.
var batches = map[string]bool{
	"postScans":      true,
	"postDispatches": true,
	"postReceipts":   true,
	"postEvidence":   true,
}

// keyed are operations with a natural key in their body. An idempotency key would
// repeat a refusal that no longer holds.
var keyed = map[string]bool{"signFor": true, "createAttempt": true}
