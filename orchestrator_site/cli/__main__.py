from orchestrator_site.cli import main

main()
