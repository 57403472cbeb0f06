import { lazyRouteComponent, Outlet } from '@tanstack/react-router';
import { addressOf } from '../api/pipelines';
import { DeploymentsPage } from '../lineage/DeploymentsPage';
import { PipelinePage } from '../pipelines/PipelinePage';
import { PipelinesPage } from '../pipelines/PipelinesPage';
import { RunsPage } from '../runs/RunsPage';
import { RunsTable } from '../runs/RunsTable';
import { CrashPage, NotFoundPage, WaitPage } from './Edges';
import * as routes from './routes';
import { Shell } from './Shell';
import { SignInPage } from './SignInPage';

/** A pipeline's page with its runs, which another room draws. */
function PipelineWithRuns() {
  return (
    <PipelinePage runs={(pipeline) => <RunsTable filter={{ pipeline: addressOf(pipeline) }} withPipeline={false} />} />
  );
}

routes.root.update({ component: Outlet, notFoundComponent: NotFoundPage, errorComponent: CrashPage });
routes.signIn.update({ component: SignInPage });
routes.shell.update({ component: Shell, pendingComponent: WaitPage, errorComponent: CrashPage });
routes.pipelines.update({ component: PipelinesPage });
routes.pipeline.update({ component: PipelineWithRuns });
routes.runs.update({ component: RunsPage });
routes.run.update({ component: lazyRouteComponent(() => import('../runs/RunPage'), 'RunPage') });
routes.deployments.update({ component: DeploymentsPage });
routes.deployment.update({ component: lazyRouteComponent(() => import('../lineage/DeploymentPage'), 'DeploymentPage') });

export { makeRouter } from './routes';
