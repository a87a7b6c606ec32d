package api

import "doorstep"

// admits says which roles each operation lets in, as x-roles of openapi.yaml
// does.
var admits = map[string][]doorstep.Role{
	"putOutlet":          {doorstep.RoleIntegrator},
	"getOutlet":          {doorstep.RoleIntegrator, doorstep.RoleHQ},
	"putCourier":         {doorstep.RoleIntegrator},
	"getCourier":         {doorstep.RoleIntegrator, doorstep.RoleHQ},
	"postScans":          {doorstep.RoleIntegrator},
	"postDispatches":     {doorstep.RoleIntegrator},
	"createConsumerLink": {doorstep.RoleIntegrator},
	"listEvents":         {doorstep.RoleIntegrator, doorstep.RoleHQ},

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
	"listComplaints":   {doorstep.RoleManager, doorstep.RoleHQ},

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

	"listEvidence": {doorstep.RoleManager, doorstep.RoleHQ},
}

// batches are the operations whose items have natural keys: their bodies may be
// large, and they need no idempotency key.
var batches = map[string]bool{
	"postScans":      true,
	"postDispatches": true,
	"postReceipts":   true,
	"postEvidence":   true,
}
