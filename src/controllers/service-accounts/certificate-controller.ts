import type { Controller, ControllerContext, RunningController } from '../controller.ts';

/** A controller that copies the CA's certificate into objects. */
export interface CertificateController extends Controller {
  start(context: ControllerContext): RunningCertificateController;
}

export interface RunningCertificateController extends RunningController {
  /** Whatever holds a copy of the old certificate gets the new one. */
  certificateAuthorityRenewed(): void;
}
